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
from mtl_bench.analysis.gains.gain import main_order, signed
from mtl_bench.analysis.measurements import LearningCurve, Measurements
from mtl_bench.analysis.recommend.recommendation import Recommendation
from mtl_bench.analysis.section import Section
from mtl_bench.analysis.study import Study
from mtl_bench.files import write_atomically
from mtl_bench.report.comparison import comparison
from mtl_bench.report.curves import curves
from mtl_bench.report.dot_chart import dot_chart
from mtl_bench.report.heatmap import heatmap
from mtl_bench.report.recommendation import recommendation_content, regret_curve
from mtl_bench.report.style import Drawing, cell_colours, colour_scale, slug

STATISTICS = {
    "size": ("sentences", 0),
    "labels": ("labels", 0),
    "tokens_per_type": ("tokens/types", 2),
    "oov_percent": ("unknown words, %", 2),
    "label_entropy": ("label entropy", 2),
    "frobenius_norm": ("Frobenius norm", 1),
    "jsd": ("JSD", 2),
}
"""Heading and decimals of the statistics of tasks; others are shown by their own names."""

MOST_AUXILIARIES = 40
"""Auxiliaries beyond which there is no map, and lists name the first ones."""

POINTS = 60  # of a curve in the page; all are in the CSV files


@dataclass(frozen=True)
class Origin:
    """How the runs of a report were made.

    Attributes:
        facts: by what they are of, in order.
        config: of a run, as YAML; empty if it is not known.
    """

    facts: Mapping[str, str]
    config: str = ""


def write_report(
    study: Study,
    sections: Sequence[Section],
    origin: Origin,
    folder: Path,
    recommendations: Sequence[Recommendation] = (),
) -> Path:
    """Write the page, the figures and the recommendations; return the page's file."""
    drawings = _drawings(study, sections)
    searched = [regret_curve(each) for each in recommendations if len(each.rounds) > 1]
    drawings |= {drawing.name: drawing for drawing in searched}
    for drawing in drawings.values():
        drawing.write(folder / "figures")
    environment = Environment(
        loader=PackageLoader("mtl_bench.report"),
        autoescape=True,
        # A slip in the template is an error, not an empty cell.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "signed": signed_cell, "capital": capital}
    content = _content(study, drawings) | {
        "sections": sections,
        "origin": origin,
        "recommendations": [recommendation_content(each) for each in recommendations],
    }
    folder.mkdir(parents=True, exist_ok=True)
    plain = [each.plain() for each in recommendations]
    write_atomically(folder / "recommendation.json", json.dumps(plain, indent=1) + "\n")
    file = folder / "index.html"
    write_atomically(file, environment.get_template("page.html").render(content))
    return file


def _drawings(study: Study, sections: Sequence[Section]) -> dict[str, Drawing]:
    """Return all figures by name."""
    measurements = study.measurements
    auxes = {gain.aux for gain in measurements.gains}
    drawings = [heatmap(measurements)] if 0 < len(auxes) <= MOST_AUXILIARIES else []
    if study.scores:
        drawings.append(comparison(study.scores))
    drawings += [dot_chart(table) for each in sections for table in each.tables if table.chart]
    mains = main_order((g.main, g.aux) for g in measurements.all_gains if "+" not in g.aux)
    drawings += [curves(measurements, main) for main in mains]
    return {drawing.name: drawing for drawing in drawings}


def _content(study: Study, drawings: Mapping[str, Drawing]) -> dict[str, Any]:
    """Return what the template shows."""
    measurements = study.measurements
    effects = {gain.effect for gain in (*measurements.gains, *measurements.sets)}
    return {
        "noise_unknown": effects == {"not known"},
        "study": study,
        "metric": measurements.metric_title,
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "limit": colour_scale([gain.gain_percent for gain in measurements.gains]),
        "tasks": sorted({gain.aux for gain in measurements.gains}),
        "heat": _heat_rows(measurements) if "heatmap" in drawings else [],
        "mains": [_main(measurements, main, drawings) for main in main_tasks(measurements)],
        "figures": {name: Markup(drawing.svg()) for name, drawing in drawings.items()},
        "pairs": [score for score in study.scores if score.held_out == "pairs"],
        "unseen": [score for score in study.scores if score.held_out == "unseen_main"],
        "statistics": _statistics(measurements),
        # A task's name must not end the script element that holds the data.
        "data": Markup(json.dumps(_curve_data(measurements)).replace("<", "\\u003c")),
        "slug": slug,
    }


def _heat_rows(measurements: Measurements) -> list[dict[str, Any]]:
    """Return the rows of the heat map: a cell by auxiliary."""
    gains = measurements.gains
    limit = colour_scale([gain.gain_percent for gain in gains])
    rows = []
    for main in main_order((gain.main, gain.aux) for gain in gains):
        cells = {}
        for gain in gains:
            if gain.main == main:
                background, ink = cell_colours(gain.gain_percent, limit)
                cells[gain.aux] = {"gain": gain, "background": background, "ink": ink}
        rows.append({"main": main, "cells": cells})
    return rows


def _main(measurements: Measurements, main: str, drawings: Mapping[str, Drawing]) -> dict[str, Any]:
    """Return the ranked auxiliaries of a main task, with a sentence and its curves."""
    gains, sets = ranked(measurements.gains, main), ranked(measurements.sets, main)
    undefined = [gain for gain in measurements.undefined if gain.main == main]
    numbers = [n for g in (*gains, *sets) for n in (g.gain_percent, g.low, g.high) if n is not None]
    drawing = drawings.get(f"curves_{slug(main)}")
    metric = measurements.metrics[main]
    alone = measurements.scores_alone().get(main)
    return {
        "name": main,
        "metric": metric,
        "sentence": sentence(measurements, main),
        "gains": gains[:MOST_AUXILIARIES],
        "left_out": max(0, len(gains) - MOST_AUXILIARIES),
        "sets": sets,
        "undefined": sorted(undefined, key=lambda gain: -gain.points),
        "has_intervals": any(gain.low is not None for gain in (*gains, *sets)),
        "reach": max([*map(abs, numbers), 1e-9]),
        "alone": "" if alone is None else metric.text(alone),
        "curves": drawing.name if drawing and len(drawing.frame) else "",
    }


def _statistics(measurements: Measurements) -> dict[str, Any]:
    """Return the table of tasks: heads, and a row of texts for each."""
    runs = {run.task: run for run in measurements.single_runs()}
    alone = measurements.scores_alone()
    names = list(dict.fromkeys(name for run in runs.values() for name in run.statistics))
    headings = {name: STATISTICS.get(name, (name.replace("_", " "), 3)) for name in names}
    rows = []
    for task, run in sorted(runs.items()):
        texts = [number(run.statistics.get(name), headings[name][1]) for name in names]
        metric = measurements.metrics.get(task)
        score = metric.text(alone[task]) if metric and task in alone else ""
        rows.append(
            {"task": task, "cells": [*texts, score], "metric": metric.title if metric else ""}
        )
    return {"heads": [headings[name][0] for name in names], "rows": rows}


def _curve_data(measurements: Measurements) -> dict[str, Any]:
    """Return thinned curves by `run/task`, and how the metric of each task is shown."""
    lines = {
        f"{run}/{task}": _thin(curve, measurements.metrics[task].scale)
        for (run, task), curve in measurements.curves().items()
    }
    metrics = {
        task: {"title": metric.title, "unit": metric.unit}
        for task, metric in measurements.metrics.items()
    }
    return {"curves": lines, "metrics": metrics}


def _thin(curve: LearningCurve, scale: int) -> list[list[float]]:
    """Return percent of the budget and metric at some evaluations."""
    count = len(curve.scores)
    places = np.unique(np.linspace(0, count - 1, min(count, POINTS)).astype(int))
    return [
        np.round(100 * curve.share[places], 1).tolist(),
        np.round(scale * curve.scores[places], 4 if scale == 1 else 2).tolist(),
    ]


def number(value: float | None, decimals: int = 2) -> str:
    """Return a number, or nothing."""
    return "" if value is None or math.isnan(value) else f"{value:,.{decimals}f}"


def signed_cell(value: float | None, decimals: int = 1) -> str:
    """Return a number with its sign, or nothing."""
    return "" if value is None or math.isnan(value) else signed(value, decimals)


def capital(text: str) -> str:
    """Return a text with its first letter as a capital."""
    return text[:1].upper() + text[1:]
