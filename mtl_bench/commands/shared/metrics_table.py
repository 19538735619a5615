"""The table of what was measured of tasks, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table


class Measured(NamedTuple):
    """What was measured of a task.

    Attributes:
        task: its name.
        on: the data, in a word.
        titles: what people call its metrics, by name.
        values: of the metrics, and of the loss and what else was counted.
    """

    task: str
    on: str
    titles: Mapping[str, str]
    values: Mapping[str, float]


def metrics_table(tasks: Sequence[Measured], on: str) -> Table:
    """Return a column for each task: its metrics, then the loss and what a type counts beside them.

    Args:
        tasks: in the order of the columns.
        on: what the data is, for the row that names it.
    """
    titles = {name: title for task in tasks for name, title in task.titles.items()}
    extras = dict.fromkeys(name for task in tasks for name in task.values if name not in titles)
    table = Table("metric", *(escape(task.task) for task in tasks))
    table.add_row(on, *(escape(task.on) for task in tasks), end_section=True)
    for name, title in (titles | {name: name for name in extras}).items():
        cells = [f"{task.values[name]:.4g}" if name in task.values else "-" for task in tasks]
        table.add_row(escape(title), *cells)
    return table
