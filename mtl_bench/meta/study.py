"""The study of a sweep, or of the published runs: gains, features, the paper's Tables 3 and 4."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtl_bench import published
from mtl_bench.errors import UserError
from mtl_bench.meta.features.data import DataFeatures
from mtl_bench.meta.features.gradients import CurveGradients
from mtl_bench.meta.features.logcurve import LogCurve
from mtl_bench.meta.gains import gains
from mtl_bench.meta.printed import RUNS, Score, cross_validate, eliminate, majority
from mtl_bench.meta.single import single_run
from mtl_bench.meta.table import Table, make_table
from mtl_bench.runs.record import read_curve
from mtl_bench.runs.store import Stored

Features = dict[str, dict[str, float]]
DATA = DataFeatures().names()
CURVE = (*CurveGradients().names(), *LogCurve().names())


@dataclass(frozen=True)
class Row:
    """A row of Table 3: scores here, and the paper's where it printed them."""

    name: str
    features: int
    accuracy: float
    f1: float
    paper: tuple[float, float] | None


@dataclass(frozen=True)
class Study:
    """What was found.

    Attributes:
        source: `published`, or the sweep's folder.
        table: pairs, gains and features.
        features: by task.
        rows: Table 3.
        coefficients: Table 4, mean over all fits, by (feature, role).
    """

    source: str
    table: Table
    features: Features
    rows: Sequence[Row]
    coefficients: Mapping[tuple[str, str], float]


def study_published(runs: int = RUNS) -> Study:
    """Return the study of the paper's own runs."""
    statistics, curves = published.table1(), published.curve_features()
    features = {
        task: {name: ({**statistics[task], **curves[task]})[name] for name in (*DATA, *CURVE)}
        for task in statistics
    }
    return _study("published", make_table(published.gains(), features), features, True, runs)


def study_sweep(folder: Path, stored: Sequence[Stored], runs: int = RUNS) -> Study:
    """Return the study of a sweep's finished runs (mean gain over seeds; curves of the first seed).

    Raises:
        UserError: it has several variants, or too few runs.
    """
    variants = {run.planned.variant for run in stored if run.state == "finished"}
    if len(variants) > 1:
        raise UserError(
            f"{folder}: holds {len(variants)} variants, which one study cannot mix:\n  "
            + "\n  ".join(sorted(variant or "(plain)" for variant in variants))
            + "\nGive each a sweep of its own (`sweep_name=...`)."
        )
    families = (DataFeatures(), CurveGradients(), LogCurve())
    features: Features = {}
    for run in stored:
        [*tasks] = run.planned.tasks
        if run.state == "finished" and len(tasks) == 1 and tasks[0] not in features:
            single = single_run(run, read_curve(folder / run.planned.folder))
            features[tasks[0]] = {n: v for family in families for n, v in family(single).items()}
    found = {
        (gain.main, gain.aux): mean
        for gain in gains(stored)
        if gain.main in features and gain.aux in features and (mean := gain.mean()) is not None
    }
    positive = sum(value > 0 for value in found.values())
    if not 5 <= positive <= len(found) - 5:
        raise UserError(
            f"{folder}: has {len(found)} directed pairs with a gain, {positive} of them above 0. "
            "Telling gains from losses takes at least 5 of each. `mtl-bench gains` and "
            "`mtl-bench status` show what there is."
        )
    return _study(str(folder), make_table(found, features), features, False, runs)


def _study(source: str, table: Table, features: Features, printed: bool, runs: int) -> Study:
    """Evaluate a table as the paper did."""
    lost = [not np.isfinite(column).all() for column in table.values.T]
    if any(lost):  # a ratio to 0, a fit that did not converge: out, and said so
        kept = [n for n, bad in enumerate(lost) if not bad]
        columns = tuple(table.columns[n] for n in kept)
        table = Table(table.main, table.aux, table.gain, columns, table.values[:, kept])
    paper = published.table3() if printed else {}
    everything = cross_validate(table, runs)
    rows = [_row("majority", 0, majority(table), paper)]
    rows.append(_row("all features", len(table.columns), everything, paper))
    rows.append(_of("data features", table.only(DATA), paper, runs))
    rows.append(_of("curve features", table.only(CURVE), paper, runs))
    for name, chosen in (("best data features", table.only(DATA)), ("best combination", table)):
        count, score = eliminate(chosen, runs)
        rows.append(_row(name, count, score, paper))
    coefficients = dict(zip(table.columns, everything.coefficients.tolist(), strict=True))
    return Study(source, table, features, rows, coefficients)


def _of(name: str, table: Table, paper: Mapping[str, tuple[float, float]], runs: int) -> Row:
    return _row(name, len(table.columns), cross_validate(table, runs), paper)


def _row(name: str, count: int, score: Score, paper: Mapping[str, tuple[float, float]]) -> Row:
    return Row(name, count, score.accuracy, score.f1, paper.get(name))


def write(study: Study, folder: Path) -> None:
    """Write gains.csv, features.csv, scores.csv, coefficients.csv and study.json."""
    folder.mkdir(parents=True, exist_ok=True)
    table = study.table
    names = list(next(iter(study.features.values())))
    _write_csv(
        folder / "gains.csv",
        ["main", "aux", "gain_percent"],
        zip(table.main, table.aux, table.gain.tolist(), strict=True),
    )
    _write_csv(
        folder / "features.csv",
        ["task", *names],
        ([task, *of.values()] for task, of in sorted(study.features.items())),
    )
    _write_csv(
        folder / "scores.csv",
        ["protocol", "row", "features", "accuracy", "f1", "paper_accuracy", "paper_f1"],
        (
            ["printed", r.name, r.features, r.accuracy, r.f1, *(r.paper or ("", ""))]
            for r in study.rows
        ),
    )
    paper = published.table4() if study.source == "published" else {}
    ordered = sorted(study.coefficients.items(), key=lambda item: -abs(item[1]))
    _write_csv(
        folder / "coefficients.csv",
        ["feature", "role", "coefficient", "paper"],
        ([*column, value, paper.get(column, "")] for column, value in ordered),
    )
    content = {
        "source": study.source,
        "pairs": len(table),
        "gains_above_0": int(table.helps().sum()),
        "runs": RUNS,
        "left_out": sorted(
            f"{feature} {role}"
            for role in ("main", "aux", "ratio")
            for feature in names
            if (feature, role) not in study.coefficients
        ),
    }
    (folder / "study.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _write_csv(file: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
