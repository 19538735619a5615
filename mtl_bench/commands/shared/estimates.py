"""Estimates: made from a configuration, kept as CSV, scored by gains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mtl_bench.analysis.evaluation.estimators import (
    Estimate,
    from_runs,
    gains_table,
    score_estimates,
)
from mtl_bench.analysis.measurements import Measurements, sweep_measurements
from mtl_bench.commands.shared.tables import Row
from mtl_bench.config.compose import compose_run
from mtl_bench.config.mistakes.messages import did_you_mean
from mtl_bench.config.mistakes.options import check_options
from mtl_bench.config.tasks import conf_folder, options
from mtl_bench.errors import UserError
from mtl_bench.paper.published_runs import SOURCE, published_measurements
from mtl_bench.runs.sweep_folder import read_sweep, sweep_folder

COLUMNS = ["estimator", "main", "aux", "score", "steps", "seconds"]
NOTES = (
    "rank corr.: mean over main tasks, with its 95 % interval; gain and regret: of the auxiliary "
    "that scores highest, percent; p: permuted tasks, one-sided; p*: corrected for the estimators "
    "that are tested; steps and seconds: of all pairs",
    "record elsewhere: the auxiliary's mean gain with other main tasks, which costs all their runs",
)


def make(overrides: Sequence[str], names: Sequence[str] | None = None) -> list[Estimate]:
    """Return what estimators say of the tasks of a configuration.

    Args:
        overrides: as on the command line of a run; the auxiliaries are the other tasks.
        names: of `conf/estimator`; None for all.

    Raises:
        UserError: a mistake in the overrides, a task alone, or no such estimator.
    """
    possible = options("estimator")
    for name in names or ():
        if name not in possible:
            raise UserError(
                f"estimator: there is no '{name}'.{did_you_mean(name, possible)}\n"
                f"Possible: {', '.join(possible)}."
            )
    config, _ = compose_run(overrides)
    check_options(config)
    if len(config.task_set()) < 2:
        raise UserError("Estimates take at least two tasks: main=mwe 'aux=[chu,pos]'.")
    from mtl_bench.estimators.estimate import estimates  # torch: seconds
    from mtl_bench.estimators.pilots import Pilots

    folder = conf_folder() / "estimator"
    nodes: dict[str, Any] = {
        name: OmegaConf.to_container(OmegaConf.load(folder / f"{name}.yaml"))
        for name in names or possible
    }
    estimators = {name: instantiate(node) for name, node in nodes.items()}
    return [
        Estimate(each.name, each.scores, each.steps, each.seconds)
        for each in estimates(Pilots(config), estimators)
    ]


def write(file: Path, results: Sequence[Estimate]) -> None:
    """Write estimates, a row for each estimator and pair."""
    rows = [
        (each.name, main, aux, score, each.steps, round(each.seconds or 0.0, 2))
        for each in results
        for (main, aux), score in each.scores.items()
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=COLUMNS).to_csv(
        file, index=False, float_format="%.8g", lineterminator="\n"
    )


def read(file: Path) -> list[Estimate]:
    """Return the estimates of a file that `write` wrote.

    Raises:
        UserError: it is none.
    """
    try:
        frame = pd.read_csv(file)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read as CSV ({error}).") from None
    if list(frame.columns) != COLUMNS:
        raise UserError(f"{file}: has the columns {list(frame.columns)}, expected {COLUMNS}.")
    return [
        Estimate(
            str(name),
            dict(zip(zip(own["main"], own["aux"], strict=True), own["score"], strict=True)),
            int(own["steps"].iloc[0]),
            float(own["seconds"].iloc[0]),
        )
        for name, own in frame.groupby("estimator", sort=False)
    ]


def measured(name: str) -> Measurements:
    """Return the measurements of a sweep or result set."""
    if name == SOURCE:
        return published_measurements()
    folder = sweep_folder(name)
    return sweep_measurements(folder.name, folder, read_sweep(folder))


def scored(results: Sequence[Estimate], sweep: str) -> tuple[list[Row], list[str]]:
    """Return how well estimates, and the sweep's own first steps, order the auxiliaries.

    Args:
        results: estimates.
        sweep: name of runs whose gains they are scored by.

    Returns:
        A row for each estimator, and notes.

    Raises:
        UserError: the runs have no gains of the tasks.
    """
    measurements = measured(sweep)
    table = gains_table(measurements)
    pairs = {pair for each in results for pair in each.scores}
    if not pairs & set(table.pairs()):
        raise UserError(
            f"{sweep}: has no gains of {', '.join(sorted({main for main, _ in pairs}))}."
        )
    rows: list[Row] = []
    for score in score_estimates(table, [*results, *from_runs(measurements, table)]):
        value, low, high = (of["spearman"] for of in (score.values, score.low, score.high))
        rows.append(
            {
                "estimator": score.estimate.name,
                "rank corr.": f"{value:.2f} ± {(high - low) / 2:.2f}",
                "gain": f"{score.values['top_gain']:+.2f}",
                "regret": f"{score.values['regret']:.2f}",
                "AUC": f"{score.values['auc']:.2f}",
                "p": "" if score.p is None else f"{score.p:.3f}",
                "p*": "" if score.p_corrected is None else f"{score.p_corrected:.2f}",
                "steps": f"{score.estimate.steps:,}",
                "s": "" if score.estimate.seconds is None else f"{score.estimate.seconds:.0f}",
            }
        )
    return rows, list(NOTES)
