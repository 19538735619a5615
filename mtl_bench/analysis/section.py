"""Parts of a study that others add, such as the paper's tables: shown, written and drawn alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class DotChart:
    """A chart of a table's largest numbers.

    Attributes:
        value: column that is drawn.
        reference: column that is drawn beside it, if it has numbers.
        axis: label of the axis.
        title: what the chart shows.
    """

    value: str
    reference: str
    axis: str
    title: str


@dataclass(frozen=True)
class SectionTable:
    """A table of a section.

    Attributes:
        name: of its file, without `.csv`.
        title: what it shows.
        frame: its rows; all of them are written and stand in the page.
        note: below the title.
        decimals: of its numbers, by column, where they are shown.
        shown: columns that a terminal shows; none if it does not show the table.
        rows: at most this many are shown on a terminal.
        chart: drawn in the page, whose table is folded then.
    """

    name: str
    title: str
    frame: pd.DataFrame
    note: str = ""
    decimals: Mapping[str, int] = field(default_factory=dict)
    shown: Sequence[str] = ()
    rows: int = 20
    chart: DotChart | None = None

    def cells(self) -> pd.DataFrame:
        """Return the table as texts, numbers with their decimals, empty where there is none."""
        texts = self.frame.astype(object)
        for column in texts:
            digits = self.decimals.get(str(column))
            texts[column] = [
                "" if pd.isna(cell) else str(cell) if digits is None else f"{cell:,.{digits}f}"
                for cell in texts[column]
            ]
        return texts


@dataclass(frozen=True)
class Section:
    """A part of a study that is added to it.

    Attributes:
        name: of its place in the page.
        title: its heading.
        text: what a reader should know before its tables.
        tables: of it, in order.
    """

    name: str
    title: str
    text: str
    tables: Sequence[SectionTable]
