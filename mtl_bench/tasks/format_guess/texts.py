"""Tables and JSON Lines with a text and its class: told from files of labelled words."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.tasks.cache import READERS
from mtl_bench.tasks.format_guess.columns import Guess
from mtl_bench.tasks.readers.text_columns import SEPARATORS

TYPE = "classification"
TEXT_NAMES = ("text", "sentence", "content", "review", "document", "query", "title")
CLASS_NAMES = ("label", "class", "category", "sentiment", "intent", "topic", "target")
"""What files call texts and classes, in keys and headers."""

WORDS = 3
"""Of a text, on average: cells of labelled words have one."""

CLASS_SHARE = 1 / 3
"""Of the lines, different classes at most."""

NEEDED = 0.9
"""Of the lines, that have the usual number of columns."""


def guess_json_texts(
    first: Mapping[str, Any], text: int | str | None, label: int | str | None
) -> Guess | None:
    """Return the reader of JSON Lines whose objects hold a text and one class; None of others.

    Args:
        first: object of the file.
        text: key of the text, where the user knows.
        label: key of the class.
    """
    single = [key for key, value in first.items() if isinstance(value, str | int)]
    if label is None:
        label = next((key for key in CLASS_NAMES if key in single), None)
    texts = [key for key in single if isinstance(first[key], str) and key != label]
    if text is None:
        usual = [key for key in TEXT_NAMES if key in texts]
        text = next(iter([*usual, *texts]), None)
    if label not in single or not isinstance(first.get(str(text)), str | list):
        return None
    reader = {"_target_": f"{READERS}json_texts.JsonTextReader", "text": text, "label": label}
    reasons = [
        f"JSON Lines: an object a line, with a text in '{text}' and one class in '{label}'.",
        f"One class a line, not a list of labels: its type is {TYPE} (--word, --label name other "
        "keys).",
    ]
    return Guess(reader, reasons, TYPE)


@dataclass(frozen=True)
class _Table:
    """Lines in columns."""

    separator: str
    header: list[str] | None
    rows: list[list[str]]

    def column(self, number: int) -> list[str]:
        """Return the cells of a column, counted from 1."""
        return [row[number - 1] for row in self.rows]


def guess_text_columns(
    file: Path, lines: Sequence[str], text: int | None, label: int | None, separator: str | None
) -> Guess | None:
    """Return the reader of a table with a text and its class a line; None of other files.

    Args:
        file: its suffix tells CSV.
        lines: of the file.
        text: column of the text, where the user knows.
        label: column of the class.
        separator: `tab`, `comma`, or None.
    """
    table = _table(file, lines, separator)
    if table is None:
        return None
    count = len(table.rows[0])
    if max(text or 1, label or 1) > count:
        raise UserError(f"{file}: has {count} columns; --word {text}, --label {label} name others.")
    words = {n: _mean_words(table.column(n)) for n in range(1, count + 1) if n != label}
    text = text or max(words, key=lambda number: words[number])
    # Labelled words have no commas between columns.
    if words.get(text, 0) < WORDS and separator != "comma":
        return None
    label = label or _class_column(table, text)
    if label is None:
        return None
    classes = Counter(table.column(label))
    reader: dict[str, Any] = {
        "_target_": f"{READERS}text_columns.TextColumnReader",
        "text": text,
        "label": label,
        "separator": table.separator,
    }
    reasons = [
        f"{count} columns, separated by {table.separator}s.",
        f"column {text}: {words[text]:.0f} words a line on average -> the texts",
        f"column {label}: {len(classes)} different, such as "
        f"{', '.join(name for name, _ in classes.most_common(5))} -> the classes",
        f"A text and one class a line, and no blank line between sentences: its type is {TYPE}.",
        "If this is wrong, type `--word N --label N --separator tab|comma`; or `--separator blank` "
        "for a word a line.",
    ]
    if table.header:
        reader["header"] = True
        reasons.insert(1, f"The first line names the columns: {', '.join(table.header)}.")
    return Guess(reader, reasons, TYPE)


def _table(file: Path, lines: Sequence[str], separator: str | None) -> _Table | None:
    """Return the lines of a file as a table; None if it is none, or one of labelled words."""
    content = [line for line in lines if line.strip()]
    ends = next((n for n, line in enumerate(reversed(lines)) if line.strip()), 0)
    if not content or separator not in (None, *SEPARATORS) or len(content) < len(lines) - ends:
        return None  # none, or blank lines part sentences of labelled words
    is_csv = ".csv" in file.suffixes or not any("\t" in line for line in content)
    name = separator or ("comma" if is_csv else "tab")
    try:
        cells = (
            list(csv.reader([f"{line}\n" for line in content], strict=True))
            if name == "comma"
            else [line.split("\t") for line in content]
        )
    except csv.Error:
        return None
    usual = Counter(map(len, cells)).most_common(1)[0][0]
    rows = [row for row in cells if len(row) == usual]
    if usual < 2 or len(rows) < NEEDED * len(cells) or len(rows) < 2:
        return None
    header = cells[0] if _is_header(cells[0]) else None
    return _Table(name, header, rows[1:] if header else rows)


def _is_header(cells: Sequence[str]) -> bool:
    names = {cell.strip().lower() for cell in cells}
    return bool(names & {*TEXT_NAMES, *CLASS_NAMES})


def _mean_words(cells: Sequence[str]) -> float:
    return sum(len(cell.split()) for cell in cells) / len(cells)


def _class_column(table: _Table, text: int) -> int | None:
    """Return the column that a header calls so, else the last with few different cells."""
    header = [cell.strip().lower() for cell in table.header or ()]
    for name in CLASS_NAMES:
        if name in header and header.index(name) + 1 != text:
            return header.index(name) + 1
    limit = max(2.0, CLASS_SHARE * len(table.rows))
    numbers = [n for n in range(1, len(table.rows[0]) + 1) if n != text]
    few = [n for n in numbers if 1 < len(set(table.column(n))) <= limit]
    return few[-1] if few else None
