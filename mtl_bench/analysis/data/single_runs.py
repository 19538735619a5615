"""What is known of a task from its data and from its single run, and features made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mtl_bench.runs.curve import CurveRow
from mtl_bench.runs.sweep_folder import RunStatus

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SingleRun:
    """A task trained alone.

    Attributes:
        task: name.
        statistics: of its data, as `tasks.statistics` computes them.
        steps: [N] steps at which a loss was logged, ascending.
        losses: [N] mean training loss of the steps since the one logged before, in nats.
    """

    task: str
    statistics: Mapping[str, float]
    steps: Floats
    losses: Floats


class Family(Protocol):
    """A family of features: one file in `features/`, one yaml in `conf/features/`."""

    def names(self) -> tuple[str, ...]:
        """Return the names of the features."""

    def __call__(self, run: SingleRun) -> dict[str, float]:
        """Return the features, nan where there is none; other numbers may stand beside them."""


def single_run(stored: RunStatus, curve: list[CurveRow]) -> SingleRun:
    """Return what a finished single run tells of its task."""
    [task] = stored.run.tasks
    assert stored.record is not None
    lines = [(row.own_step, row.values["loss"]) for row in curve if row.split == "train"]
    steps, losses = np.array(lines, dtype=np.float64).reshape(-1, 2).T
    known = {
        name: value
        for name, value in stored.record.tasks[task].statistics.items()
        if isinstance(value, int | float)
    }
    return SingleRun(task, known, steps, losses)


def features_of(
    runs: Sequence[SingleRun], families: Mapping[str, Family]
) -> dict[str, dict[str, float]]:
    """Return the features of each task, means over its runs (seeds).

    A run whose features are nan (a curve that was not fitted) is left out of their mean.
    """
    found: dict[str, dict[str, float]] = {}
    for task in sorted({run.task for run in runs}):
        own = [
            {name: value for family in families.values() for name, value in family(run).items()}
            for run in runs
            if run.task == task
        ]
        found[task] = {name: _mean([each[name] for each in own]) for name in own[0]}
    return found


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
