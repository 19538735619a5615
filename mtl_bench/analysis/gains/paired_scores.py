"""Scores of a main task alone and beside others, paired by variant, seed and budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from mtl_bench.analysis.data.frame import StudiedMetric, evaluations, run_budgets


@dataclass(frozen=True)
class PairedScores:
    """Scores of a main task alone and beside auxiliary tasks, by seed, at one budget.

    Attributes:
        main: task.
        tasks: of the larger run, joined by `+`.
        variant: of both runs.
        split: on which they were taken.
        single: score alone, by seed.
        pair: score beside the other tasks, by seed.
    """

    main: str
    tasks: str
    variant: str
    split: str
    single: Mapping[int, float]
    pair: Mapping[int, float]

    @property
    def aux(self) -> str:
        """The auxiliary tasks, joined by `+`."""
        return "+".join(task for task in self.tasks.split("+") if task != self.main)

    def percent(self, sign: int) -> dict[int, float]:
        """Return the relative improvement in percent, by seed, where the single score is not 0."""
        return {
            seed: relative_change(self.single[seed], pair, sign)
            for seed, pair in self.pair.items()
            if self.single[seed]
        }


def relative_change(single: float, pair: float, sign: int) -> float:
    """Return the improvement in percent; `sign` is -1 where lower is better.

    >>> relative_change(0.5, 0.6, 1), relative_change(4.0, 3.0, -1)
    (20.0, 25.0)
    """
    return sign * (100 * (pair - single) / abs(single))


def paired_scores(
    values: pd.DataFrame, metrics: Mapping[str, StudiedMetric], budget: float
) -> Iterator[PairedScores]:
    """Yield the scores of all pairs of runs of equal variant and seed that reach a budget.

    Final metrics are compared where both runs ended there, else the last evaluations at or before
    the budget: final metrics may be of another split than those of a curve.
    """
    reached = run_budgets(values)
    rows = evaluations(values, metrics, budget)
    rows = rows[rows["run"].map(reached) >= budget - 1e-6]
    ended = rows["final"] & ((rows["budget"] - budget).abs() < 1e-6)
    taken: dict[str, dict[tuple[str, str, str], dict[int, tuple[float, float, str]]]] = {}
    for kind, chosen in (("final", rows[ended]), ("curve", rows[~rows["final"]])):
        last = chosen.groupby(["variant", "tasks", "task", "seed"], sort=True).last()
        by_runs: dict[tuple[str, str, str], dict[int, tuple[float, float, str]]] = defaultdict(dict)
        for (variant, tasks, task, seed), row in last[["value", "budget", "split"]].iterrows():  # type: ignore[misc]
            by_runs[task, variant, tasks][seed] = (row["value"], row["budget"], row["split"])
        taken[kind] = by_runs
    for main, variant, tasks in sorted(taken["final"].keys() | taken["curve"].keys()):
        if "+" not in tasks:
            continue
        for by_runs in taken.values():
            alone = by_runs.get((main, variant, main), {})
            beside = by_runs.get((main, variant, tasks), {})
            seeds = [s for s in beside if s in alone and beside[s][1:] == alone[s][1:]]
            if seeds:
                single, pair = ({s: of[s][0] for s in seeds} for of in (alone, beside))
                yield PairedScores(main, tasks, variant, beside[seeds[0]][2], single, pair)
                break
