"""What is held out when a predictor is evaluated: pairs, or whole tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.arrays import Bools
from mtl_bench.analysis.features.pair_table import Table

FOLDS = 5


@dataclass(frozen=True)
class Folds:
    """B fits, and what each is tested on. The folds of one run test every row once.

    Attributes:
        train: [B, N] rows that a fit sees.
        test: [B, N] rows that it predicts.
        runs: number of them.
    """

    train: Bools
    test: Bools
    runs: int = 1

    def first(self, runs: int) -> Folds:
        """Return the folds of the first runs."""
        runs = min(runs, self.runs)
        count = len(self.train) * runs // self.runs
        return Folds(self.train[:count], self.test[:count], runs)


def shuffled_folds(rows: Bools, runs: int) -> Bools:
    """Return [runs * FOLDS, N] the rows that shuffled cross-validation tests, among `rows` [N].

    The orders are NumPy's, not those of scikit-learn's `RepeatedKFold`, which come from another
    generator and would change every number published.
    """
    test = np.zeros((runs * FOLDS, len(rows)), dtype=np.bool_)
    for run in range(runs):
        order = np.random.default_rng(run).permutation(np.flatnonzero(rows))
        for fold, part in enumerate(np.array_split(order, FOLDS)):
            test[run * FOLDS + fold, part] = True
    return test


def pairs(table: Table, runs: int) -> Folds:
    """Return shuffled five-fold cross-validation over pairs, `runs` times: the paper's.

    Both tasks of a pair are seen in other pairs.
    """
    test = shuffled_folds(np.ones(len(table), dtype=np.bool_), runs)
    return Folds(~test, test, runs)


def unseen_main(table: Table, runs: int = 1) -> Folds:  # noqa: ARG001 (there is one way to do it)
    """Return folds that hold out one task wholly, and ask which auxiliaries help it.

    One fit scores all of its auxiliaries, which other tasks have been paired with.
    """
    main, aux = np.array(table.main), np.array(table.aux)
    return _one_run([((main != t) & (aux != t), main == t) for t in table.tasks()])


def unseen_aux(table: Table, runs: int = 1) -> Folds:  # noqa: ARG001
    """Return folds that hold out one task wholly, and ask which main tasks it helps."""
    main, aux = np.array(table.main), np.array(table.aux)
    return _one_run([((main != t) & (aux != t), aux == t) for t in sorted(set(aux))])


def both_unseen(table: Table, runs: int = 1) -> Folds:  # noqa: ARG001
    """Return folds that hold out two tasks; the others, paired among themselves, are seen."""
    main, aux = np.array(table.main), np.array(table.aux)
    folds = []
    for one, other in sorted({tuple(sorted(pair)) for pair in zip(main, aux, strict=True)}):
        test = np.isin(main, (one, other)) & np.isin(aux, (one, other))
        train = ~np.isin(main, (one, other)) & ~np.isin(aux, (one, other))
        folds.append((train, test))
    return _one_run(folds)


def _one_run(folds: Sequence[tuple[Bools, Bools]]) -> Folds:
    """Return folds of one run, without those that have nothing to learn from or to predict."""
    fits = [(train, test) for train, test in folds if train.any() and test.any()]
    train, test = (np.array(part) for part in zip(*fits, strict=True))
    return Folds(train, test)


HELD_OUT: dict[str, Callable[[Table, int], Folds]] = {
    "pairs": pairs,
    "unseen_main": unseen_main,
    "unseen_aux": unseen_aux,
    "both_unseen": both_unseen,
}
"""What an evaluation holds out, by name, in the order of how much is new to the predictor."""
