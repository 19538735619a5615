"""A recommendation on the terminal: the table, and what follows from it in sentences."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.gains.gain import signed
from mtl_bench.analysis.recommend.recommendation import Recommendation, Row
from mtl_bench.analysis.recommend.wording import alone, sentences


def show(answer: Recommendation) -> None:
    """Print an answer."""
    console = Console(highlight=False)
    metric = answer.metric
    console.print(f"\n[bold]{escape(answer.main)}[/] alone: {escape(alone(answer))}")
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("auxiliary", overflow="fold", min_width=9)
    for name in ("gain", "points", "80 % interval", "P(helps)", "steps x\nseeds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for row in answer.rows:
        style = "bold" if row.status == "recommended" else None
        table.add_row(*_cells(row, metric), style=style)
    console.print()
    console.print(table)
    console.print()
    console.print(escape("\n".join(sentences(answer))), soft_wrap=True)


def _cells(row: Row, metric: StudiedMetric) -> tuple[str, ...]:
    trained = f"{row.trained:,.6g} x {max(1, row.seeds)}" if row.trained else "-"
    if math.isnan(row.gain):
        return escape(row.aux), *["-"] * 4, trained, row.status
    return (
        escape(row.aux),
        f"{signed(row.gain)} %",
        signed(row.points, 1 if metric.is_share else 3),
        f"{signed(row.low)} .. {signed(row.high)}",
        f"{row.helps:.2f}",
        trained,
        row.status,
    )
