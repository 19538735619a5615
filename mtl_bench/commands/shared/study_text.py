"""A study on the terminal, in 80 columns."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtl_bench.commands.shared.tables import Row, print_table

if TYPE_CHECKING:
    from mtl_bench.analysis.evaluation.scoring import Score
    from mtl_bench.analysis.section import Section
    from mtl_bench.analysis.study import Study
    from mtl_bench.commands.shared.study_pipeline import FinishedStudy

NOTES_ON_COST = [
    "cost: steps, in percent of those of all single and pair runs; learned: steps of the finished "
    "runs that the predictor learned from"
]
LINES = 20  # missing runs named; all are in study.json


def show(finished: FinishedStudy) -> None:
    """Print a study and its sections."""
    study = finished.study
    measurements = study.measurements
    above = sum(gain.gain_percent > 0 for gain in measurements.gains)
    print(
        f"{measurements.source}: {len(measurements.gains)} directed pairs, {above} gain (above 0), "
        f"at {measurements.budget:,.6g} steps per task"
    )
    for line in measurements.missing[:LINES]:
        print(f"  missing: {line}", file=sys.stderr)
    if len(measurements.missing) > LINES:
        print(f"  and {len(measurements.missing) - LINES} more, see study.json", file=sys.stderr)
    if study.scores:
        _choices([score for score in study.scores if score.held_out == "pairs"])
        _rankings([score for score in study.scores if score.held_out == "unseen_main"])
        if study.rough:
            print(study.rough)
        for section in finished.sections:
            _section(section)
    if study.early:
        _early(study)
    print(f"\n{conclusions_text(study)}")


def conclusions_text(study: Study) -> str:
    """Return the conclusions: of each main task, then of all."""
    from mtl_bench.analysis.conclusions import main_tasks, sentence  # scipy: a second

    measurements = study.measurements
    lines = [f"{main}: {sentence(measurements, main)}" for main in main_tasks(measurements)]
    if study.no_prediction:
        lines.append(f"Nothing is predicted: {study.no_prediction}")
    lines += [f"{each.question}\n  {each.answer} ({each.because})." for each in study.conclusions]
    return "\n".join(lines)


def _section(section: Section) -> None:
    for table in section.tables:
        if table.shown:
            print(f"\n{table.title}")
            cells = table.cells()[list(table.shown)].head(table.rows)
            rows: list[Row] = [
                {str(column).replace("_", " "): text for column, text in row.items()}
                for row in cells.to_dict("records")
            ]
            print_table(rows, "table", wrapped=[table.shown[-1]])


def _choices(scores: Sequence[Score]) -> None:
    print("\nGain or loss, of pairs whose tasks were seen in other pairs")
    rows: list[Row] = [
        {
            "features": _name(score),
            "accuracy": _with_interval(score, "accuracy"),
            "±": _number(score.monte_carlo.get("accuracy"), 3),
            "F1": _number(score.values["f1"]),
            "AUC": _number(score.values["auc"]),
            "p": _number(score.p.get("accuracy")),
            "p*": _number(score.p_corrected.get("accuracy")),
        }
        for score in scores
        if score.model != "oracle"
    ]
    notes = [
        "±: standard error of the accuracy that comes from the number of runs",
        "p: how often permuted features score as high; p*: corrected for the tests of this table",
    ]
    print_table(rows, "table", notes)


def _rankings(scores: Sequence[Score]) -> None:
    print("\nWhich auxiliary to take, for a task never trained with others")
    rows: list[Row] = [
        {
            "features": _name(score),
            "rank corr.": _with_interval(score, "spearman"),
            "gain of pick": _number(score.values["top_gain"]),
            "regret": _number(score.values["regret"]),
            "p": _number(score.p.get("spearman")),
            "p*": _number(score.p_corrected.get("spearman")),
        }
        for score in scores
        if score.features != "main task"  # a new task has no other pairs
    ]
    print_table(rows, "table", ["gain and regret (what the best would gain more) in percent"])


def _early(study: Study) -> None:
    print("\nPrediction before the runs are over")
    rows: list[Row] = [
        {
            "runs": f"{early.percent} % of {early.runs}",
            "cost %": _number(early.cost, 1),
            "learned %": _number(early.learning_cost, 0),
            "held out": early.score.held_out,
            "accuracy": _number(early.score.values["accuracy"]),
            "AUC": _number(early.score.values["auc"]),
            "rank corr.": _number(early.score.values["spearman"]),
            "regret": _number(early.score.values["regret"]),
        }
        for early in study.early
    ]
    print_table(rows, "table", NOTES_ON_COST)


def _name(score: Score) -> str:
    return score.features if score.model == "logistic" else f"{score.features}: {score.model}"


def _with_interval(score: Score, metric: str) -> str:
    value, low, high = (of.get(metric) for of in (score.values, score.low, score.high))
    ends = f" ({_number(low)} to {_number(high)})" if _number(low) else ""
    return _number(value) + ends


def _number(value: float | None, decimals: int = 2) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.{decimals}f}"
