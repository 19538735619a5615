"""A recommendation on the terminal: the table, and what follows from it in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.gains.gain import signed
from mtl_bench.analysis.recommend.recommendation import Recommendation, Row

UNSURE = 0.1
"""Probability to be the best above which another candidate is named."""


def show(answer: Recommendation, metric: StudiedMetric, failed: Sequence[str] = ()) -> None:
    """Print an answer.

    Args:
        answer: for a main task.
        metric: that gains are of.
        failed: candidates whose runs failed.
    """
    console = Console(highlight=False)
    budget = f"{answer.budget:,.6g}"
    console.print(
        f"\n[bold]{escape(answer.main)}[/] alone: {metric.text(answer.alone)} {answer.metric} "
        f"(late mean on dev, budget {budget})"
    )
    table = Table(
        "auxiliary", "gain", "points", "80 % interval", "P(helps)", "P(best)", "trained to",
        "status", box=SIMPLE_HEAD,
    )  # fmt: skip
    for row in answer.rows:
        style = "bold" if row.status == "recommended" else None
        table.add_row(*_cells(row, metric), style=style)
    console.print(table)
    console.print(sentences(answer, metric))
    if failed:
        console.print(f"Failed: {', '.join(failed)}. `mtl-bench status` says why.")


def _cells(row: Row, metric: StudiedMetric) -> tuple[str, ...]:
    trained = f"{row.trained:,.6g}" + (f" x {row.seeds} seeds" if row.seeds > 1 else "")
    return (
        escape(row.aux),
        f"{signed(row.gain)} %",
        signed(row.points, 1 if metric.is_share else 3),
        f"{signed(row.low)} .. {signed(row.high)} %",
        f"{row.helps:.2f}",
        f"{row.best:.2f}",
        trained if row.trained else "-",
        row.status,
    )


def sentences(answer: Recommendation, metric: StudiedMetric) -> str:
    """Return the answer as sentences."""
    decimals = 1 if metric.is_share else 3
    count = len(answer.rows)
    if answer.choice is None:
        first = f"None of them: train {answer.main} alone."
    else:
        first = f"Recommended: {answer.choice}."
    unit = "points" if metric.is_share else f"of {answer.metric}"
    lines = [
        f"{first} Expected loss against the best of the {count}, and of none: "
        f"{answer.regret:.{decimals + 1}f} {unit}.",
        f"Cost: {100 * answer.cost:.0f} % of training all {count} to the end with one seed "
        f"({answer.steps:,} steps).",
    ]
    others = [row.aux for row in answer.rows if row.aux != answer.choice and row.best > UNSURE]
    if others:
        lines.append(f"Not settled: {', '.join(others)} may be better.")
    return escape("\n".join(lines))
