"""The runs that the paper's authors released, as measurements of a study."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mtl_bench.analysis.data.frame import DATA, TRAIN, StudiedMetric, run_rows, values_of
from mtl_bench.analysis.gains.gain import Gain
from mtl_bench.analysis.gains.uncertainty import with_errors
from mtl_bench.analysis.measurements import Measurements
from mtl_bench.paper import published
from mtl_bench.runs.sweep_folder import PUBLISHED, SweepRun

BUDGET = 50_000.0
EVALUATIONS = 20  # late ones, of which published late means and spreads are
DEGREES_OF_FREEDOM = EVALUATIONS - 2
F1 = StudiedMetric("f1", "F1")


def published_measurements() -> Measurements:
    """Return what the paper's authors measured: one seed, 50,000 steps single, 100,000 pair."""
    statistics, curves = published.table1(), published.curve_features()
    gains = [
        Gain(
            main=row.main,
            aux=row.aux,
            variant="",
            metric=F1.name,
            split="test",
            budget=BUDGET,
            seeds=1,
            single=row.single_f1,
            pair=row.pair_f1,
            points=100 * (row.pair_f1 - row.single_f1),
            gain_percent=row.gain,
            late_percent=row.late,
            late_split="test",
            evaluations=EVALUATIONS,
            late_sd=row.spread,
            degrees_of_freedom=DEGREES_OF_FREEDOM,
        )
        for row in published.gain_rows()
    ]
    return Measurements(
        source=PUBLISHED,
        values=published_values(),
        metrics=dict.fromkeys(statistics, F1),
        budget=BUDGET,
        all_gains=with_errors(gains),
        released_features={task: {**statistics[task], **curves[task]} for task in statistics},
        loss_over="positions",
    )


def published_values() -> pd.DataFrame:
    """Return the released values in the form of a sweep's: see `analysis.data.frame`."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for task, statistics in published.table1().items():
        rows[task] = [
            (task, 0, DATA, name, value, False)
            for name, value in statistics.items()
            if name != F1.name
        ]
    for task, (steps, losses) in published.loss_curves().items():
        rows[task] += [
            (task, step, TRAIN, "loss", loss, False)
            for step, loss in zip(steps.tolist(), losses.tolist(), strict=True)
        ]
    for (pair, task), (steps, scores) in published.f1_curves().items():
        rows.setdefault(pair, []).extend(
            (task, step, "test", F1.name, score, False)
            for step, score in zip(steps.tolist(), scores.tolist(), strict=True)
        )
    for row in published.gain_rows():
        pair = "+".join(sorted((row.main, row.aux)))
        rows[row.main].append((row.main, BUDGET, "test", F1.name, row.single_f1, True))
        rows[pair].append((row.main, 2 * BUDGET, "test", F1.name, row.pair_f1, True))
    values: list[tuple[Any, ...]] = []
    for name, of_run in sorted(rows.items()):
        run = SweepRun(f"{name}/seed0", tuple(name.split("+")), 0, (BUDGET,))
        # The curve of `com` alone continues after its schedule.
        whole = [row for row in dict.fromkeys(of_run) if row[1] <= BUDGET * len(run.tasks)]
        values += run_rows(run, run.tasks[0], whole)
    return values_of(values)
