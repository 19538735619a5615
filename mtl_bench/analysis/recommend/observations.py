"""Gains at a share of the budget, from curves that need not be complete.

A gain at share t compares means over a window: the evaluations in the last 20 percent of the budget
so far, t times the whole, of the pair run and of the single run alike. At the end it is the late
gain of a study: the mean of the last 4 percent of evaluations, at least five, but not of more than
those in the window. With several seeds it is the mean over those with which both runs are trained
that far.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.data.frame import StudiedMetric, evaluations, run_budgets
from mtl_bench.analysis.gains.gain import SMALL
from mtl_bench.analysis.gains.paired_scores import relative_change
from mtl_bench.analysis.gains.uncertainty import FEWEST, SHARE

WINDOW = 0.2
"""Of the budget so far, that gains are averaged over."""


class Curves(Protocol):
    """What has been measured of a main task's gains."""

    @property
    def main(self) -> str:
        """The main task."""

    @property
    def candidates(self) -> Sequence[str]:
        """The names of the candidates."""

    @property
    def seeds(self) -> int:
        """The seeds that every gain can be measured with."""

    def gain(self, candidate: str, share: float, seeds: int, single: float = 1.0) -> float:
        """Return a gain at a share of the budget, in percent; nan where there is none.

        Args:
            candidate: name.
            share: of the budget.
            seeds: of which it is the mean.
            single: share to which the main task alone is trained.
        """


@dataclass(frozen=True)
class Curve:
    """A main task's metric over one run.

    Attributes:
        budgets: [E] steps per task at the evaluations, ascending.
        scores: [E].
        end: steps per task that the run was trained for.
    """

    budgets: Floats
    scores: Floats
    end: float

    def reaches(self, budget: float) -> bool:
        """Return whether the run was trained to a budget."""
        return self.end > 0.99 * budget

    def late(self) -> float:
        """Return the mean of the late evaluations, up to the end."""
        count = max(FEWEST, round(SHARE * len(self.scores)))
        inside = int((self.budgets > (1 - WINDOW) * self.end - 1e-6).sum())
        return float(self.scores[-max(1, min(count, inside)) :].mean())

    def window(self, budget: float) -> float:
        """Return the mean score in the window that ends at a budget; nan if the run ends before."""
        inside = (self.budgets <= budget + 1e-6) & (self.budgets > (1 - WINDOW) * budget - 1e-6)
        if not self.reaches(budget):
            return float("nan")
        if not inside.any():  # evaluations are sparse: the last one before
            inside = self.budgets == self.budgets[self.budgets <= budget + 1e-6].max(initial=-1)
        return float(self.scores[inside].mean()) if inside.any() else float("nan")


@dataclass(frozen=True)
class SweepCurves:
    """The curves of a main task, alone and beside each candidate, by seed.

    Attributes:
        main: task.
        budget: steps per task that is 1.
        sign: 1 if a larger metric is better, else -1.
        least: score alone below which a relative change says little.
        alone: of the single runs.
        beside: of the pair runs, by candidate.
        split: on which the runs were evaluated.
    """

    main: str
    budget: float
    sign: int
    alone: Mapping[int, Curve]
    beside: Mapping[str, Mapping[int, Curve]]
    least: float = 0.0
    split: str = "dev"

    @property
    def candidates(self) -> list[str]:
        """The names of the candidates."""
        return list(self.beside)

    @property
    def seeds(self) -> int:
        """The seeds that the main task alone and all candidates have."""
        return len(self._common_seeds())

    @property
    def trained(self) -> float:
        """The steps per task to which the main task alone is trained."""
        return max(curve.end for curve in self.alone.values())

    def score_alone(self) -> float:
        """Return the late score of the main task alone: the mean over its longest runs."""
        longest = [curve for curve in self.alone.values() if curve.reaches(self.trained)]
        return float(np.mean([curve.late() for curve in longest]))

    @property
    def is_low(self) -> bool:
        """Whether the main task alone scores so little that no relative change is taken."""
        return not self.score_alone() or self.score_alone() < self.least

    def _common_seeds(self) -> list[int]:
        return sorted(set(self.alone).intersection(*self.beside.values()))

    def halves(self) -> tuple[SweepCurves, SweepCurves]:
        """Return the curves of the first half of the seeds, and those of the others.

        Seeds count whose runs are all trained to the end; with fewer than two, both are all curves.
        """
        seeds = [seed for seed in self._common_seeds() if self._is_finished(seed)]
        if len(seeds) < 2:
            return self, self
        half = len(seeds) // 2
        return self._of(seeds[:half]), self._of(seeds[half:])

    def _is_finished(self, seed: int) -> bool:
        runs = [self.alone[seed], *(own[seed] for own in self.beside.values())]
        return all(run.reaches(self.budget) for run in runs)

    def _of(self, seeds: Sequence[int]) -> SweepCurves:
        """Return the curves of some seeds."""
        return replace(
            self,
            alone={seed: self.alone[seed] for seed in seeds},
            beside={name: {seed: own[seed] for seed in seeds} for name, own in self.beside.items()},
        )

    def gains(self, candidate: str, share: float) -> dict[int, float]:
        """Return the gain of each seed at a share of the budget."""
        budget = share * self.budget
        gains = {}
        for seed, curve in self.beside[candidate].items():
            if seed not in self.alone:
                continue
            single, pair = (_score(each, budget, share) for each in (self.alone[seed], curve))
            if np.isfinite([single, pair]).all() and single and single >= self.least:
                gains[seed] = relative_change(single, pair, self.sign)
        return gains

    def settled(self, seed: int, share: float, single: float = 1.0) -> bool:
        """Return whether the main task alone has reached half of its latest score at a share.

        Before, a relative change is one of a number that still grows by itself.

        Args:
            seed: of the runs.
            share: of the budget.
            single: share to which the main task alone is trained, at most to the end of its run.
        """
        curve = self.alone[seed]
        ends_before = single < 1 and curve.reaches(single * self.budget)
        latest = curve.window(single * self.budget) if ends_before else curve.late()
        return self.sign < 0 or _score(curve, share * self.budget, share) >= latest / 2

    def gain(self, candidate: str, share: float, seeds: int, single: float = 1.0) -> float:
        """Return the mean over the first seeds, as far as they are settled."""
        gains = self.gains(candidate, share)
        first = [gains[seed] for seed in sorted(gains)[:seeds] if self.settled(seed, share, single)]
        return float(np.mean(first)) if first else float("nan")

    def first_gain(self, candidate: str, share: float) -> float:
        """Return the gain of the first seed; 0 where the single run scores too little to tell."""
        first = min(self.alone)
        single = _score(self.alone[first], share * self.budget, share)
        if np.isfinite(single) and (not single or single < self.least):
            return 0.0
        return self.gains(candidate, share).get(first, float("nan"))

    def late_gain(self, candidate: str) -> float:
        """Return the mean late gain over all seeds, in percent; nan where there is none."""
        return self.gain(candidate, 1.0, len(self.alone))


def _score(curve: Curve, budget: float, share: float) -> float:
    return curve.late() if share == 1 and curve.reaches(budget) else curve.window(budget)


def sweep_curves(
    values: pd.DataFrame, metrics: Mapping[str, StudiedMetric], budget: float
) -> dict[str, SweepCurves]:
    """Return the curves of every main task that has a single run.

    Args:
        values: of the runs of one variant of a sweep (see `analysis.data.frame`).
        metrics: that gains are of, by task.
        budget: steps per task that is 1.
    """
    rows = evaluations(values, metrics, budget)
    rows = rows[~rows["final"]]
    ends = run_budgets(values)
    alone: dict[str, dict[int, Curve]] = defaultdict(dict)
    beside: dict[str, dict[str, dict[int, Curve]]] = defaultdict(lambda: defaultdict(dict))
    for key, own in rows.groupby(["tasks", "task", "seed"]):
        tasks, task, seed = str(key[0]), str(key[1]), int(str(key[2]))
        curve = Curve(
            own["budget"].to_numpy(np.float64),
            own["value"].to_numpy(np.float64),
            min(float(ends[own["run"].iloc[0]]), budget),
        )
        others = [name for name in tasks.split("+") if name != task]
        if others:
            beside[task]["+".join(others)][seed] = curve
        else:
            alone[task][seed] = curve
    return {
        main: SweepCurves(
            main,
            budget,
            metrics[main].sign,
            alone[main],
            dict(beside[main]),
            SMALL if metrics[main].is_share and metrics[main].higher_is_better else 0.0,
            str(rows["split"].iloc[0]),
        )
        for main in sorted(alone)
        if main in beside
    }
