"""What is known of a task from its data and from its single run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtl_bench.runs.record import CurveRow
from mtl_bench.runs.store import Stored

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


def single_run(stored: Stored, curve: list[CurveRow]) -> SingleRun:
    """Return what a finished single run tells of its task."""
    [task] = stored.planned.tasks
    assert stored.record is not None
    lines = [(row.own_step, row.loss) for row in curve if row.split == "train"]
    steps, losses = np.array(lines, dtype=np.float64).reshape(-1, 2).T
    known = {
        name: value
        for name, value in stored.record.tasks[task].statistics.items()
        if value is not None
    }
    return SingleRun(task, known, steps, losses)
