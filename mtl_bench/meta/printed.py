"""The paper's own evaluation: Tables 3 and 4, as printed.

Logistic regression (liblinear, C = 1), features scaled to [0, 1] by all rows, 100 runs of shuffled
five-fold cross-validation that splits the PAIRS. Pairs share their main task, so a model can score
by recognising it: these numbers are here to be compared with the paper's, not to be believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from mtl_bench.meta.single import Floats
from mtl_bench.meta.table import Table, scaled

RUNS, FOLDS = 100, 5


@dataclass(frozen=True)
class Score:
    """Means over runs and folds; `coefficients` [F] those of the predictor."""

    accuracy: float
    f1: float
    coefficients: Floats


def folds(rows: int, run: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield training and test rows of each fold of a run."""
    order = np.random.default_rng(run).permutation(rows)
    for test in np.array_split(order, FOLDS):
        yield np.setdiff1d(order, test), test


def cross_validate(table: Table, runs: int = RUNS) -> Score:
    """Return how well logistic regression tells gains from losses in pairs left out."""
    x, y = scaled(table.values), table.helps()
    accuracies, f1s, coefficients = [], [], []
    for run in range(runs):
        for train, test in folds(len(y), run):
            model = LogisticRegression(solver="liblinear", C=1.0).fit(x[train], y[train])
            guess = model.predict(x[test])
            accuracies.append(float(np.mean(guess == y[test])))
            f1s.append(f1_of_gains(y[test], guess))
            coefficients.append(model.coef_[0])
    return Score(
        float(np.mean(accuracies)), float(np.mean(f1s)), np.mean(np.array(coefficients), axis=0)
    )


def eliminate(table: Table, runs: int = RUNS) -> tuple[int, Score]:
    """Return the best of the subsets that recursive elimination visits, and its size.

    Starting with all columns, the one with the smallest mean coefficient is dropped each time. The
    best is that with the highest sum of accuracy and F1. It is chosen by the score that is then
    reported, as in the paper: an optimistic number.
    """
    best: tuple[int, Score] | None = None
    kept = list(range(len(table.columns)))
    while kept:
        columns = tuple(table.columns[n] for n in kept)
        score = cross_validate(
            Table(table.main, table.aux, table.gain, columns, table.values[:, kept]), runs
        )
        if best is None or score.accuracy + score.f1 > best[1].accuracy + best[1].f1:
            best = len(kept), score
        kept.pop(int(np.argmin(np.abs(score.coefficients))))
    assert best is not None
    return best


def majority(table: Table) -> Score:
    """Return the accuracy of always saying loss, and the F1 of always saying gain.

    The paper's row "majority" holds these two, which no one classifier has.
    """
    y = table.helps()
    none = np.zeros(0)
    return Score(max(1 - y.mean(), y.mean()), f1_of_gains(y, np.ones_like(y)), none)


def f1_of_gains(truth: Floats, guess: Floats) -> float:
    """Return the F1 of the class of gains; 0 where there is neither one nor a guess of one."""
    both = float(np.sum((truth == 1) & (guess == 1)))
    total = float(np.sum(truth == 1) + np.sum(guess == 1))
    return 2 * both / total if total else 0.0
