"""What the data and the single run of a task tell of it, and features made of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.data.frame import DATA, TRAIN, run_budgets


@dataclass(frozen=True)
class SingleRun:
    """A task trained alone.

    Attributes:
        task: name.
        statistics: of its data, as its record has them.
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


def single_runs(values: pd.DataFrame, budget: float = 0.0) -> list[SingleRun]:
    """Return the single runs that reach a budget, their losses up to it; all of them with 0."""
    alone = values[values["tasks"] == values["task"]]
    if budget:
        reaches = alone["run"].map(run_budgets(values)) >= budget - 1e-6
        alone = alone[reaches & (alone["budget"] <= budget + 1e-6)]
    runs = []
    for (task, _), rows in alone.groupby(["task", "run"], sort=True):
        of_data = rows[rows["split"] == DATA]
        losses = rows[(rows["split"] == TRAIN) & (rows["metric"] == "loss")]
        runs.append(
            SingleRun(
                str(task),
                dict(zip(of_data["metric"], of_data["value"], strict=True)),
                losses["step"].to_numpy(np.float64),
                losses["value"].to_numpy(np.float64),
            )
        )
    return runs


def features_of(
    runs: Sequence[SingleRun], families: Mapping[str, Family]
) -> dict[str, dict[str, float]]:
    """Return the features of each task, means over its runs (seeds).

    A run whose features are nan (a curve that was not fitted) is left out of their mean.
    """
    rows = [
        {"task": run.task}
        | {name: value for family in families.values() for name, value in family(run).items()}
        for run in runs
    ]
    if not rows:
        return {}
    # The mean of pandas leaves nan out, but not infinities.
    means = pd.DataFrame(rows).replace([np.inf, -np.inf], np.nan).groupby("task").mean()
    return {
        str(task): {str(n): float(v) for n, v in row.items()}
        for task, row in means.to_dict("index").items()
    }
