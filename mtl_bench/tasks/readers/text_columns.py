"""Tables with a text and its class in columns, a text a line: TSV and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines
from mtl_bench.tasks.readers.texts import checked_names, class_of, words_of

SEPARATORS = {"tab": "\t", "comma": ","}


class TextColumnReader:
    """Reads two columns of a table: a text and its class."""

    def __init__(
        self,
        text: int,
        label: int,
        separator: str = "tab",
        header: bool = False,
        classes: Sequence[str] | None = None,
    ) -> None:
        """Describe the file.

        Args:
            text: column of the text, counted from 1.
            label: column of the class.
            separator: `tab`, where quotes mean nothing, or `comma`, where texts may stand in
                double quotes.
            header: whether the first line names the columns.
            classes: names of the classes 0, 1, 2, ... of files that have numbers.
        """
        if separator not in SEPARATORS:
            raise UserError(f"separator: {separator!r} is none of {', '.join(SEPARATORS)}.")
        # By type: to `isinstance`, the true of a yaml is a whole number as well.
        numbers = type(text) is int and type(label) is int and min(text, label) > 0
        if not numbers or text == label:
            raise UserError(
                f"text: {text!r}, label: {label!r}. They are two columns, counted from 1."
            )
        if not isinstance(header, bool):
            raise UserError(f"header: {header!r} is neither true nor false.")
        self.text = text
        self.label = label
        self.separator = separator
        self.header = header
        self.classes = checked_names(classes)

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the texts of a file, and notes on those without words."""
        lines = Lines(file, part)
        for number, line, cells in rows(lines, self.separator):
            if number == 1 and self.header:
                yield Note("the line that names the columns left out", "line 1", expected=True)
                continue
            least = max(self.text, self.label)
            if len(cells) < least:
                lines.fail(
                    number,
                    line,
                    f"{len(cells)} column{'s' * (len(cells) != 1)} where at least {least} are "
                    f"expected (text: {self.text}, label: {self.label}, separator: "
                    f"{self.separator}).",
                )
            try:
                label = class_of(cells[self.label - 1], self.classes)
            except ValueError as error:
                lines.fail(number, line, f"column {self.label}: {error}")
            if words := words_of(cells[self.text - 1]):
                yield Example(words, label)
            else:
                yield Note("texts without words left out", f"line {number}")


def rows(lines: Lines, separator: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield number, text and cells of the lines that are not blank; a quoted text may have several.

    Raises:
        UserError: a quote is not closed, or a cell is too long.
    """
    if separator == "tab":
        for number, line in lines:
            if line.strip():
                yield number, line, line.split("\t")
        return
    seen: list[str] = []

    def texts() -> Iterator[str]:
        for _, line in lines:
            seen.append(line)
            yield line + "\n"

    reader = csv.reader(texts(), strict=True)
    while True:
        first = len(seen)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text = seen[first] if first < len(seen) else ""
            lines.fail(first + 1, text, f"cannot be read as CSV: {error}. Is a quote not closed?")
        if any(cell.strip() for cell in cells):
            yield first + 1, seen[first], cells
