"""The tables of a result set: for `mtl-bench results`."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from mtl_bench.analysis.data.frame import DATA, runs_frame, values_frame
from mtl_bench.analysis.gains.gain import Gain
from mtl_bench.analysis.gains.gains import gains_frame
from mtl_bench.paper.published_runs import published_measurements
from mtl_bench.runs.sweep_folder import PUBLISHED, read_sweep, sweep_folder


def tables_of(name: str) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the tables of a result set or sweep, and what is wrong with records and curves.

    The tables are runs, tasks, gains and curves.

    Args:
        name: of it; `published` has no table of runs.
    """
    if name == PUBLISHED:
        measured = published_measurements()
        gains = pd.DataFrame(
            [asdict(gain) for gain in measured.all_gains], columns=list(Gain.__dataclass_fields__)
        )
        values = measured.values
        return {"tasks": _tasks(values), "gains": gains, "curves": values}, []
    folder = sweep_folder(name)
    statuses = read_sweep(folder)
    values, problems = values_frame(folder, statuses)
    runs = runs_frame(statuses)
    seconds = {s.run.folder: s.record.timings.get("train_seconds") for s in statuses if s.record}
    runs.insert(len(runs.columns), "train_seconds", runs["run"].map(seconds))
    tables = {
        "runs": runs,
        "tasks": _tasks(values),
        "gains": gains_frame(folder, statuses)[0],
        "curves": values[values["split"] != DATA],
    }
    return tables, problems


def _tasks(values: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each task with the statistics of its corpus."""
    own = values[values["split"] == DATA]
    table = own.pivot_table(index="task", columns="metric", values="value", aggfunc="first")
    return table.rename_axis(columns=None).reset_index()
