"""The schedule of a run: how many steps it takes, and after which of them it is evaluated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, takewhile


def evaluation_grid(interval: int | None) -> Iterator[int]:
    """Yield the budgets (steps per task) at which a run is evaluated, without end.

    They do not depend on how long a run is to be, so that a run that is extended has the curve of
    one that was trained that long at once; nor on the number of its tasks, so that the curves of
    single and pair runs have points at the same budgets.

    Args:
        interval: budget between two evaluations; None: dense early and sparse late, at 1, 2, 5,
            then a tenth apart of the next of 100, 200, 500, 1000, 2000, ...

    >>> [budget for budget, _ in zip(evaluation_grid(None), range(16))]
    [1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 140, 160]
    """
    if interval is not None:
        budget = interval
        while True:
            yield budget
            budget += interval
    yield from (1, 2, 5)
    budget = 10
    for limit in (digit * 10**power for power in count(2) for digit in (1, 2, 5)):
        while budget < limit:
            yield budget
            budget += limit // 10


@dataclass(frozen=True)
class Schedule:
    """The steps of a run, in intervals that end with an evaluation or with the run.

    Attributes:
        tasks: of the run.
        budget: steps per task.
        interval: budget between evaluations, or None (see `evaluation_grid`).
    """

    tasks: int
    budget: float
    interval: int | None = None

    @property
    def steps(self) -> int:
        """The optimiser steps of the whole run, all tasks together."""
        # Rounded: max_steps / tasks * tasks need not be a whole number in binary.
        return round(self.budget * self.tasks)

    def until(self, steps: int) -> Schedule:
        """Return the schedule of a run that takes so many steps."""
        return replace(self, budget=steps / self.tasks)

    def evaluations(self) -> list[int]:
        """Return the steps after which the run is evaluated, ascending."""
        steps = (budget * self.tasks for budget in evaluation_grid(self.interval))
        return list(takewhile(lambda step: step <= self.steps, steps))

    def intervals(self, start: int = 0) -> list[range]:
        """Return the steps still to do after `start` of them, by interval."""
        ends = sorted({*self.evaluations(), self.steps})
        begins = [0, *ends]
        parts = (range(max(a, start), b) for a, b in zip(begins, ends, strict=False))
        return [part for part in parts if part]


def budget_of(steps_per_task: int, max_steps: int | None, tasks: int) -> float:
    """Return the budget that a configuration asks for: steps per task, capped by all steps.

    >>> budget_of(2000, None, 2), budget_of(50, 5000, 2), budget_of(50, 30, 2)
    (2000.0, 50.0, 15.0)
    """
    return min(float(steps_per_task), math.inf if max_steps is None else max_steps / tasks)
