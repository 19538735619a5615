"""A study on the terminal, in 80 columns."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtl_bench.commands.shared.tables import Row, print_table

if TYPE_CHECKING:
    from mtl_bench.analysis.evaluation.scoring import Score
    from mtl_bench.analysis.study import Study

TOP = 12  # coefficients shown; all are in coefficients.csv
LINES = 20  # missing runs named; all are in study.json


def show(study: Study) -> None:
    """Print what a study found."""
    gains = study.evidence.gains
    gained = sum(gain.gain > 0 for gain in gains)
    print(f"{study.evidence.source}: {len(gains)} directed pairs, {gained} gain (above 0)")
    missing = study.evidence.missing
    for line in missing[:LINES]:
        print(f"  missing: {line}", file=sys.stderr)
    if len(missing) > LINES:
        print(f"  and {len(missing) - LINES} more, see study.json", file=sys.stderr)
    if study.refused:
        print_answers(study)
        return
    _printed([score for score in study.scores if score.protocol == "printed"])
    largest = sorted(study.coefficients.items(), key=lambda item: -abs(item[1]))[:TOP]
    print("\nIts largest coefficients (Table 4)")
    print_table(
        [{"feature": n, "task": role, "coefficient": f"{c:+.3f}"} for (n, role), c in largest],
        "table",
    )
    _choices([score for score in study.scores if score.protocol == "pairs"])
    _rankings([score for score in study.scores if score.protocol == "unseen_main"])
    print("\nWhat the paper says, tested on these runs (claims.csv)")
    claims: list[Row] = [{"verdict": c.verdict, "claim": c.claim} for c in study.claims]
    print_table(claims, "table", wrapped=["claim"])
    if study.early:
        _early(study)
    print_answers(study)


def print_answers(study: Study) -> None:
    """Print the verdict in words."""
    print(f"\n{answers_text(study)}")


def answers_text(study: Study) -> str:
    """Return the verdict in words: of each main task, then of all."""
    from mtl_bench.analysis.conclusions import main_tasks, sentence  # scipy: a second

    evidence = study.evidence
    lines = [f"{main}: {sentence(evidence, main)}" for main in main_tasks(evidence)]
    if study.refused:
        lines.append(f"Nothing is predicted: {study.refused}")
    lines += [f"{each.question}\n  {each.answer} ({each.because})." for each in study.answers]
    return "\n".join(lines)


def _printed(scores: Sequence[Score]) -> None:
    print("\nAs the paper evaluated (Table 3)")
    rows: list[Row] = [
        {
            "": score.features,
            "columns": str(score.columns or ""),
            "accuracy": _number(score.values["accuracy"], 3),
            "F1 (gain)": _number(score.values["f1"], 3),
            "paper": " / ".join(f"{value:.3f}" for value in score.paper.values()),
        }
        for score in scores
    ]
    print_table(rows, "table")


def _choices(scores: Sequence[Score]) -> None:
    print("\nGain or loss, of pairs whose tasks were seen in other pairs")
    rows: list[Row] = [
        {
            "knows": _knows(score),
            "accuracy": _with_interval(score, "accuracy"),
            "F1": _number(score.values["f1"]),
            "AUC": _number(score.values["auc"]),
            "p": _number(score.p.get("accuracy")),
        }
        for score in scores
        if score.model != "oracle"
    ]
    print_table(rows, "table", ["p: how often features dealt to the wrong tasks do as well"])


def _rankings(scores: Sequence[Score]) -> None:
    print("\nWhich auxiliary to take, for a task never trained with others")
    rows: list[Row] = [
        {
            "knows": _knows(score),
            "rank corr.": _with_interval(score, "spearman"),
            "gain of pick": _number(score.values["top_gain"]),
            "regret": _number(score.values["regret"]),
            "p": _number(score.p.get("spearman")),
        }
        for score in scores
        if score.features != "main task"  # of a new task there is no record
    ]
    print_table(rows, "table", ["gain and regret (what the best would gain more) in percent"])


def _early(study: Study) -> None:
    print("\nWhat is known before the runs are over")
    rows: list[Row] = [
        {
            "looked at": f"{early.percent} % of {early.looked_at}",
            "cost %": _number(early.cost, 1),
            "held out": early.score.protocol,
            "accuracy": _number(early.score.values["accuracy"]),
            "AUC": _number(early.score.values["auc"]),
            "rank corr.": _number(early.score.values["spearman"]),
            "regret": _number(early.score.values["regret"]),
        }
        for early in study.early
    ]
    print_table(rows, "table", ["cost: steps, in percent of those of all single and pair runs"])


def _knows(score: Score) -> str:
    return score.features if score.model == "logistic" else f"{score.features}: {score.model}"


def _with_interval(score: Score, metric: str) -> str:
    value, low, high = (of.get(metric) for of in (score.values, score.low, score.high))
    ends = f" ({_number(low)} to {_number(high)})" if _number(low) else ""
    return _number(value) + ends


def _number(value: float | None, decimals: int = 2) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.{decimals}f}"
