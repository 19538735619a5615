"""Estimates: made from a configuration, kept as CSV, scored by gains."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf

from mtl_bench.analysis.evaluation.ceiling import ceiling
from mtl_bench.analysis.evaluation.estimators import (
    Estimate,
    EstimatorScore,
    common_pairs,
    from_runs,
    score_estimates,
)
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.measurements import Measurements, sweep_measurements
from mtl_bench.commands.shared.tables import Row, frame_rows
from mtl_bench.config.compose import compose_run
from mtl_bench.config.mistakes.messages import did_you_mean
from mtl_bench.config.mistakes.options import check_options
from mtl_bench.config.tasks import conf_folder, options
from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.paper.published_runs import published_measurements
from mtl_bench.runs.sweep_folder import PUBLISHED, read_sweep, sweep_folder
from mtl_bench.trust import make

TYPES = {
    "estimator": "string",
    "main": "string",
    "aux": "string",
    "score": "float64",
    "steps": "int64",
    "seconds": "float64",
}
"""Columns of a file of estimates."""

NOTES = (
    "rank corr.: mean over main tasks, with its 95 % interval; gain and regret: of the auxiliary "
    "that scores highest, percent; p: permuted tasks, one-sided; p*: corrected for the estimators "
    "that are tested; steps and seconds: of all pairs",
    "record elsewhere: the auxiliary's mean standardised gain with other main tasks, which costs "
    "all of their runs",
)

SAME_RUNS = "of the runs that they are scored by, which flatters them"


def estimates_of(
    overrides: Sequence[str],
    names: Sequence[str] | None = None,
    measurements: Measurements | None = None,
) -> tuple[list[Estimate], str]:
    """Return what estimators say of the tasks of a configuration, and the main task.

    Args:
        overrides: as on the command line of a run; the auxiliaries are the other tasks.
        names: of `conf/estimator`; None for all.
        measurements: by whose gains they are to be scored, if any.

    Raises:
        UserError: a mistake in the overrides, a task alone, no such estimator, or nothing to score
            them by.
    """
    nodes = {name: _node(name) for name in names or options("estimator")}
    config, _ = compose_run(overrides)
    check_options(config)
    if measurements:
        every = dict.fromkeys(permutations(config.tasks, 2), 0.0)
        _scored_pairs([Estimate("every pair", every, 0)], measurements)
    from mtl_bench.estimators.estimate import estimates  # torch: seconds
    from mtl_bench.estimators.pilots.pilots import Pilots

    estimators = {name: make(node, f"estimator.{name}") for name, node in nodes.items()}
    return list(estimates(Pilots(config), estimators)), config.main


def _node(name: str) -> Any:
    """Return the configuration of an estimator.

    Raises:
        UserError: there is none of that name.
    """
    possible = options("estimator")
    if name not in possible:
        raise UserError(
            f"estimator: there is no '{name}'.{did_you_mean(name, possible)}\n"
            f"Possible: {', '.join(possible)}."
        )
    return OmegaConf.to_container(OmegaConf.load(conf_folder() / "estimator" / f"{name}.yaml"))


def frame_of(results: Sequence[Estimate]) -> pd.DataFrame:
    """Return a row for each estimator and pair."""
    rows = [
        (each.name, main, aux, score, each.steps, round(each.seconds or 0.0, 2))
        for each in results
        for (main, aux), score in each.scores.items()
    ]
    return pd.DataFrame(rows, columns=list(TYPES))


def plain(results: Sequence[Estimate]) -> list[Row]:
    """Return a row for each estimator and pair, as plain values."""
    return frame_rows(frame_of(results))


def write(file: Path, results: Sequence[Estimate]) -> None:
    """Write estimates as CSV, a row for each estimator and pair."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = frame_of(results).to_csv(index=False, float_format="%.8g", lineterminator="\n")
    write_atomically(file, text)


def read(file: Path, names: Sequence[str] | None = None) -> list[Estimate]:
    """Return the estimates of a file that `write` wrote.

    Args:
        file: CSV.
        names: of estimators; None for all in the file.

    Raises:
        UserError: it is no such file, or lacks an estimator.
    """
    try:
        frame = pd.read_csv(file)
        if list(frame.columns) != list(TYPES) or frame.empty:
            raise ValueError(f"expected the columns {', '.join(TYPES)}, and a row for each pair")
        frame = frame.astype(TYPES)
    except IsADirectoryError:
        raise UserError(f"{file}: is a folder; name the CSV file of `--out`.") from None
    except (ValueError, TypeError, OverflowError) as error:  # those of pandas among them
        raise UserError(
            f"{file}: holds no estimates ({error}). `mtl-bench estimate ... --out` writes them."
        ) from None
    results = {
        str(name): Estimate(
            str(name),
            dict(zip(zip(own["main"], own["aux"], strict=True), own["score"], strict=True)),
            int(own["steps"].iloc[0]),
            float(own["seconds"].iloc[0]),
        )
        for name, own in frame.groupby("estimator", sort=False)
    }
    for name in names or ():
        if name not in results:
            raise UserError(f"{file}: has no '{name}', but {', '.join(results)}.")
    return [results[name] for name in names or results]


def measured(name: str) -> Measurements:
    """Return the measurements of a sweep or result set.

    Raises:
        UserError: its runs differ in more than their tasks and seeds.
    """
    if name == PUBLISHED:
        return published_measurements()
    folder = sweep_folder(name)
    statuses = read_sweep(folder)
    variants = sorted({status.run.variant for status in statuses})
    if len(variants) > 1:
        raise UserError(
            f"{folder}: has runs of several variants: {', '.join(v or '(none)' for v in variants)}."
            " Gains are compared with estimates of one."
        )
    return sweep_measurements(folder.name, folder, statuses)


def scores(
    results: Sequence[Estimate], measurements: Measurements
) -> tuple[Table, list[EstimatorScore]]:
    """Return how well estimates, and the first steps of runs, order the auxiliaries.

    Early gains are those of the first seed, if there are several; all are scored by the others.

    Args:
        results: estimates.
        measurements: whose gains they are scored by.

    Returns:
        The pairs that all of them have, and the scores.

    Raises:
        UserError: no main task has two auxiliaries of which all say something.
    """
    pairs = _scored_pairs(results, measurements)
    return pairs, score_estimates(pairs, [*results, *from_runs(measurements, pairs)])


def _scored_pairs(results: Sequence[Estimate], measurements: Measurements) -> Table:
    """Return the pairs that all estimates and the gains have.

    Raises:
        UserError: no main task has two auxiliaries among them.
    """
    pairs = common_pairs(measurements.other_seeds, results)
    if not len(pairs):
        tasks = sorted({task for each in results for pair in each.scores for task in pair})
        raise UserError(
            f"{measurements.source}: has no main task with gains from two of the tasks to be "
            f"estimated: {', '.join(tasks)}."
        )
    return pairs


def score_rows(
    results: Sequence[Estimate], measurements: Measurements
) -> tuple[list[Row], list[str]]:
    """Return a row for each of `scores`, and notes."""
    pairs, every = scores(results, measurements)
    rows: list[Row] = []
    for score in every:
        value, low, high = (of["spearman"] for of in (score.values, score.low, score.high))
        half = max(value - low, high - value)  # the other end may be where a metric ends
        width = "" if high != high else f" ± {half:.2f}"  # nan: one main task
        rows.append(
            {
                "estimator": score.estimate.name,
                "rank corr.": "" if value != value else f"{value:.2f}{width}",
                "gain": _text(score.values["top_gain"], "+.2f"),
                "regret": _text(score.values["regret"], ".2f"),
                "AUC": _text(score.values["auc"], ".2f"),
                "p": _text(score.p, ".3f"),
                "p*": _text(score.p_corrected, ".2f"),
                "steps": f"{score.estimate.steps:,}",
                "s": _text(score.estimate.seconds, ".0f"),
            }
        )
    count = f"{len(pairs)} pairs of {len(pairs.tasks())} main tasks, at {measurements.budget:,.6g} "
    truth = "of the first seed, scored by the others" if measurements.repeated else SAME_RUNS
    gains = {(gain.main, gain.aux): gain for gain in measurements.other_seeds.gains}
    limit = ceiling(pairs, [gains[pair] for pair in pairs.pairs()])
    perfect = [f"true gains, scored by these: {limit['spearman']:.2f}"] if limit else []
    return rows, [f"{count}steps per task", *NOTES, *perfect, f"early gains: {truth}"]


def _text(value: float | None, form: str) -> str:
    return "" if value is None or value != value else f"{value:{form}}"
