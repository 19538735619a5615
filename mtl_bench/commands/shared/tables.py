"""Tables on the terminal, as Markdown, CSV or JSON."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mtl_bench.errors import visible

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, str | float | bool | None]
FORMATS = ("table", "markdown", "csv", "json")

MOST_COLUMNS = 40
"""Tasks beyond which a matrix of tasks is no table that people read."""


def add_format(parser: argparse.ArgumentParser) -> None:
    """Let a command be asked for another format than a table for people."""
    parser.add_argument("--format", choices=FORMATS, default="table", help="of the output")


def frame_rows(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a frame; what is missing or nan becomes None."""
    # As objects: in a column of floats None would become nan again.
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return cast(list[Row], rows)  # pandas-stubs: keyed by anything; our columns are named by text


def print_table(
    rows: Sequence[Row],
    style: str,
    notes: Sequence[str] = (),
    wrapped: Sequence[str] = (),
    is_matrix: bool = False,
) -> None:
    """Print rows that have the same keys.

    Args:
        rows: cell by heading.
        style: one of FORMATS.
        notes: printed below where a person reads.
        wrapped: columns whose texts may take several lines.
        is_matrix: whether the first column names the rows. Columns that do not fit the terminal
            follow in further tables then, since half a number is a wrong one.
    """
    header = list(rows[0]) if rows else []
    if style == "json":
        print(json.dumps(list(rows), indent=1, ensure_ascii=False))
        return
    if style == "csv":
        writer = csv.DictWriter(sys.stdout, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return
    texts = [["" if v is None else visible(str(v)) for v in row.values()] for row in rows]
    if style == "markdown":
        for line in (header, ["---"] * len(header), *texts):
            print(
                "| "
                + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line)
                + " |"
            )
        print(*(f"\n{note}" for note in notes), sep="\n", end="")
        print()
        return
    console = Console()
    columns = list(zip(header, zip(*texts, strict=True), strict=True))
    for part in _parts(columns, console.width) if is_matrix else [columns]:
        table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 0, 0, 1), pad_edge=False)
        for name, _ in part:
            numbers = not any(isinstance(row[name], str) for row in rows)
            table.add_column(
                escape(name),
                no_wrap=name not in wrapped,
                justify="right" if numbers else "left",
            )
        for row_cells in zip(*(cells for _, cells in part), strict=True):
            table.add_row(*map(escape, row_cells))
        console.print(table)
    for note in notes:
        console.print(escape(note), style="dim")


Column = tuple[str, tuple[str, ...]]
"""A heading and the cells below it."""


def _parts(columns: Sequence[Column], width: int) -> list[list[Column]]:
    """Return columns in groups that fit a width, each with the first one before the others."""
    first, *others = columns
    sizes = [2 + max(map(cell_len, (name, *cells))) for name, cells in columns]
    parts, used = [[first]], sizes[0]
    for column, size in zip(others, sizes[1:], strict=True):
        if used + size > width and len(parts[-1]) > 1:
            parts.append([first])
            used = sizes[0]
        parts[-1].append(column)
        used += size
    return parts
