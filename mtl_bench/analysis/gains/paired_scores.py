"""Scores of a main task alone and beside others, paired by variant, seed and budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mtl_bench.analysis.data.frame import StudiedMetric, evaluations, run_budgets
from mtl_bench.analysis.student import quantile, two_sided_p

LEVEL = 0.95
"""Of the intervals of paired gains."""


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
        """Return the relative improvement in percent, by seed, as `percent_by_seed`."""
        return percent_by_seed(self.single, self.pair, sign)


Taken = dict[tuple[str, str, str], dict[int, tuple[Any, ...]]]
"""Score, budget and split, by task, variant and tasks, then by seed."""


def relative_change(single: float, pair: float, sign: int) -> float:
    """Return the improvement in percent; `sign` is -1 where lower is better.

    >>> relative_change(0.5, 0.75, 1), relative_change(4.0, 3.0, -1)
    (50.0, 25.0)
    """
    return sign * (100 * (pair - single) / abs(single))


def percent_by_seed(
    single: Mapping[int, float], other: Mapping[int, float], sign: int
) -> dict[int, float]:
    """Return the relative improvement of the seeds that both have, in percent.

    Nothing is relative to 0: where a single score is 0, no gain is known, of any seed. The others
    alone would be those of the seeds that went well.
    """
    seeds = sorted(single.keys() & other.keys())
    if not all(single[seed] for seed in seeds):
        return {}
    return {seed: relative_change(single[seed], other[seed], sign) for seed in seeds}


@dataclass(frozen=True)
class PairedGain:
    """A gain in percent: mean over seeds, and t interval and test of the paired differences.

    Interval and p are of this gain by itself, nan with fewer than two seeds.
    """

    mean: float
    low: float
    high: float
    p: float
    seeds: int


def paired_gain(single: Mapping[int, float], other: Mapping[int, float], sign: int) -> PairedGain:
    """Return the mean of the improvements that `percent_by_seed` gives.

    Args:
        single: score by seed.
        other: score by seed.
        sign: -1 where lower is better.
    """
    gains = list(percent_by_seed(single, other, sign).values())
    if not gains:
        return PairedGain(np.nan, np.nan, np.nan, np.nan, 0)
    mean = float(np.mean(gains))
    if len(gains) == 1:
        return PairedGain(mean, np.nan, np.nan, np.nan, 1)
    error = float(np.std(gains, ddof=1)) / len(gains) ** 0.5
    half = quantile((1 + LEVEL) / 2, len(gains) - 1) * error
    p = two_sided_p(mean / error, len(gains) - 1) if error else float(mean == 0)
    return PairedGain(mean, mean - half, mean + half, p, len(gains))


def paired_scores(
    values: pd.DataFrame, metrics: Mapping[str, StudiedMetric], budget: float
) -> Iterator[PairedScores]:
    """Yield the scores of all pairs of runs of equal variant and seed that reach a budget.

    Final metrics are compared where both runs ended there, else the last evaluations at or before
    the budget: final metrics may be of another split than those of a curve.
    """
    rows = evaluations(values, metrics, budget)
    rows = rows[rows["run"].map(run_budgets(values)) >= budget - 1e-6]
    at_budget = rows["final"] & ((rows["budget"] - budget).abs() < 1e-6)
    # Finals and curves are of other splits, and never mixed within one gain.
    sources = [_last_scores(rows[mask]) for mask in (at_budget, ~rows["final"])]
    for main, variant, tasks in sorted(sources[0].keys() | sources[1].keys()):
        if "+" not in tasks:
            continue
        for scores in sources:
            alone = scores.get((main, variant, main), {})
            beside = scores.get((main, variant, tasks), {})
            # Scores of one pair are of one split and one budget.
            seeds = [s for s in beside if s in alone and beside[s][1:] == alone[s][1:]]
            if seeds:
                single, pair = ({s: of[s][0] for s in seeds} for of in (alone, beside))
                yield PairedScores(main, tasks, variant, beside[seeds[0]][2], single, pair)
                break


def _last_scores(rows: pd.DataFrame) -> Taken:
    """Return the last score of each task in each run."""
    last = rows.groupby(["variant", "tasks", "task", "seed"]).tail(1)
    names = ["task", "variant", "tasks", "seed", "value", "budget", "split"]
    scores: Taken = defaultdict(dict)
    for task, variant, tasks, seed, *score in zip(*(last[n].tolist() for n in names), strict=True):
        scores[task, variant, tasks][seed] = tuple(score)
    return scores
