"""The report of a study: one page that needs nothing else, and its figures as files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mtl_bench.analysis.conclusions import main_tasks, ranked, sentence
from mtl_bench.analysis.data.evidence import Progress
from mtl_bench.analysis.gains.gains import METRICS, main_order, signed
from mtl_bench.analysis.study import Study
from mtl_bench.files import write_atomically
from mtl_bench.paper import published
from mtl_bench.paper.claims import STAND_INS
from mtl_bench.report.figures import Drawn, colour_of, figures, scale, slug

COLUMNS = (
    ("sentences", "size"),
    ("labels", "labels"),
    ("tokens/types", "tokens_per_type"),
    ("unknown words, %", "oov_percent"),
    ("label entropy", "label_entropy"),
    ("Frobenius norm", "frobenius_norm"),
    ("JSD", "jsd"),
)
POINTS = 60  # of a curve in the page; all are in the CSV files


@dataclass(frozen=True)
class Origin:
    """How the runs of a report were made.

    Attributes:
        facts: what and its value, in order.
        config: of a run, as YAML; empty if it is not known.
    """

    facts: Sequence[tuple[str, str]]
    config: str = ""


def write_report(study: Study, origin: Origin, folder: Path) -> Path:
    """Write the page and the figures; return the page's file."""
    drawn = figures(study)
    for figure in drawn.values():
        figure.write(folder / "figures")
    environment = Environment(
        loader=PackageLoader("mtl_bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "signed": signed_cell}
    text = environment.get_template("page.html").render(_content(study, origin, drawn))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "index.html"
    write_atomically(file, text)
    return file


def _content(study: Study, origin: Origin, drawn: Mapping[str, Drawn]) -> dict[str, Any]:
    """Return what the template shows."""
    evidence = study.evidence
    papers = {STAND_INS.get(run.task, run.task) for run in evidence.singles}
    return {
        "study": study,
        "origin": origin,
        "metric": METRICS[evidence.metric],
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "limit": scale(study),
        "tasks": sorted({gain.aux for gain in evidence.gains}),
        "heat": [
            _heat_row(study, main) for main in main_order((g.main, g.aux) for g in evidence.gains)
        ],
        "mains": [_main(study, main, drawn) for main in main_tasks(evidence)],
        "figures": {name: Markup(figure.svg()) for name, figure in drawn.items()},
        "printed": [score for score in study.scores if score.protocol == "printed"],
        "pairs": [score for score in study.scores if score.protocol == "pairs"],
        "unseen": [score for score in study.scores if score.protocol == "unseen_main"],
        "of_paper": papers <= published.table1().keys(),
        "table1": _table1(study),
        "coefficients": sorted(study.coefficients.items(), key=lambda item: -abs(item[1])),
        "paper4": published.table4() if evidence.published else {},
        "data": Markup(json.dumps(_curves(study)).replace("<", "\\u003c")),
        "columns": (*COLUMNS, (f"{METRICS[evidence.metric]}, %", "f1")),
        "decimals": published.DECIMALS,
        "slug": slug,
    }


def _heat_row(study: Study, main: str) -> dict[str, Any]:
    """Return a row of the heat map: a cell by auxiliary."""
    limit = scale(study)
    cells = {}
    for gain in study.evidence.gains:
        if gain.main == main:
            background, ink = colour_of(gain.gain, limit)
            cells[gain.aux] = {"gain": gain, "background": background, "ink": ink}
    return {"main": main, "cells": cells}


def _main(study: Study, main: str, drawn: Mapping[str, Drawn]) -> dict[str, Any]:
    """Return the ranked auxiliaries of a main task, with a sentence and its curves."""
    own = ranked(study.evidence.gains, main)
    sets = ranked(study.evidence.sets, main)
    undefined = {aux: value for (m, aux), value in study.evidence.undefined.items() if m == main}
    ends = [abs(end) for g in (*own, *sets) for end in (g.gain, g.low, g.high) if end is not None]
    curves = drawn.get(f"curves_{slug(main)}")
    return {
        "name": main,
        "sentence": sentence(study.evidence, main),
        "gains": own,
        "sets": sets,
        "undefined": sorted(undefined.items(), key=lambda each: -each[1]),
        "known": any(gain.low is not None for gain in (*own, *sets)),
        "reach": max([*ends, 1e-9]),
        "alone": study.evidence.alone.get(main, 0.0),
        "curves": f"curves_{slug(main)}" if curves and curves.rows else "",
    }


def _table1(study: Study) -> list[dict[str, Any]]:
    """Return Table 1: statistics and F1 (percent) of each task, the paper's beside them."""
    paper = published.table1()
    f1 = {task: 100 * score for task, score in study.evidence.alone.items()}
    rows = []
    for run in {run.task: run for run in study.evidence.singles}.values():
        here = {**run.statistics, "f1": f1.get(run.task, math.nan)}
        name = STAND_INS.get(run.task, run.task)
        rows.append({"task": run.task, "here": here, "paper": paper.get(name, {})})
    return sorted(rows, key=lambda row: row["task"])


def _curves(study: Study) -> dict[str, list[list[float]]]:
    """Return thinned curves of F1 (percent) by `run/task`: percent of steps, F1."""
    return {f"{run}/{task}": _thin(p) for (run, task), p in study.evidence.progress.items()}


def _thin(progress: Progress) -> list[list[float]]:
    count = len(progress.f1)
    chosen = np.unique(np.linspace(0, count - 1, min(count, POINTS)).astype(int))
    return [
        np.round(100 * progress.share[chosen], 1).tolist(),
        np.round(100 * progress.f1[chosen], 2).tolist(),
    ]


def number(value: float | None, decimals: int = 2) -> str:
    """Return a number, or nothing."""
    return "" if value is None or math.isnan(value) else f"{value:,.{decimals}f}"


def signed_cell(value: float | None, decimals: int = 1) -> str:
    """Return a number with its sign, or nothing."""
    return "" if value is None or math.isnan(value) else signed(value, decimals)
