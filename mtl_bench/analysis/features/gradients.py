"""Slopes of the training loss at some percentages of the schedule (Section 4 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_bench.analysis.data.single_runs import SingleRun


class CurveGradients:
    """Slopes of a loss curve, in nats a step.

    `window: 0` reads them as the paper's code did, the central difference of two logged lines:
    with n lines and p percent, (L[k+1] - L[k-1]) / (i[k+1] - i[k-1]) at k = int(n p / 100). That
    is mostly noise: a line is a mean of ten steps. `window: w` fits a straight line to the lines
    within w percent of the schedule on either side.
    """

    def __init__(
        self,
        percent: Sequence[int] = (10, 20, 30, 50, 70),
        window: float = 0,
        name: str = "gradient",
    ) -> None:
        """Take the places, the width of the curve that each looks at (both percent), and a name."""
        self.percent = tuple(percent)
        self.window = window
        self.name = name

    def names(self) -> tuple[str, ...]:
        """Return the names of the features."""
        return tuple(f"{self.name}_{percent}" for percent in self.percent)

    def __call__(self, run: SingleRun) -> dict[str, float]:
        """Return the slope at each place; nan where the curve is too short."""
        return {f"{self.name}_{percent}": self._at(run, percent) for percent in self.percent}

    def _at(self, run: SingleRun, percent: int) -> float:
        count = len(run.steps)
        center = count * percent // 100
        # With window 0, one line on either side: the paper's central difference.
        reach = max(1, int(count * self.window / 100))
        if center < reach or center + reach >= count:
            return float("nan")
        if not self.window:
            rise = run.losses[center + 1] - run.losses[center - 1]
            return float(rise / (run.steps[center + 1] - run.steps[center - 1]))
        near = slice(center - reach, center + reach + 1)
        slope, _ = np.polyfit(run.steps[near], run.losses[near], 1)
        return float(slope)
