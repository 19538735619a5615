"""One word a line in columns, a blank line after each sentence: CoNLL, TSV and their kin."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines

SEPARATORS = ("tab", "blank")
BLANKS = re.compile("[ \t]+")
"""What parts columns; a no-break space and its kin are parts of words."""

COMMENT_MARKS = ("#", "//", "%", ";;")
"""What lines of comments begin with in corpora."""

DOCUMENT_START = "-DOCSTART-"
"""What CoNLL-2002 and CoNLL-2003 mark the start of a document by, in place of a word."""


class Row(NamedTuple):
    """A line: its number, counted from 1, its text and its cells, of which a blank one has none."""

    number: int
    line: str
    cells: list[str]

    def is_document_start(self) -> bool:
        """Return whether it marks the start of a document."""
        return self.line.upper().startswith(DOCUMENT_START)


def split_columns(line: str, separator: str) -> list[str]:
    r"""Return the cells of a line; none of a blank line.

    >>> split_columns("New York\tB-LOC", "tab"), split_columns("a  b\tc", "blank")
    (['New York', 'B-LOC'], ['a', 'b', 'c'])
    """
    if not line.strip(" \t"):
        return []
    if separator == "tab":
        return [cell.strip(" ") for cell in line.split("\t")]
    return BLANKS.split(line.strip(" \t"))


def usual_columns(rows: Iterable[list[str]]) -> int:
    """Return the number of columns that most rows have; of two as frequent, the larger one."""
    counts = Counter(map(len, rows))
    return max(counts, key=lambda columns: (counts[columns], columns), default=0)


class ColumnReader:
    """Reads two columns of a file: the words and their labels."""

    def __init__(
        self,
        word: int,
        label: int,
        separator: str = "tab",
        comment: str | None = None,
        blank_word: str = "error",
        lowercase_labels: bool = False,
        label_map: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the file.

        Args:
            word: column of the word, counted from 1.
            label: column of the label.
            separator: `tab`, or `blank` for any run of spaces and tabs.
            comment: lines that begin so are left out, unless they have as many columns as most
                lines: then they hold a word, such as a hashtag.
            blank_word: a line whose word is only white space is an `error` or a
                `sentence_break`.
            lowercase_labels: fold labels to lower case.
            label_map: new name by label; it must name every label of the file.
        """
        if separator not in SEPARATORS:
            raise UserError(f"separator: {separator!r} is none of {', '.join(SEPARATORS)}.")
        if blank_word not in ("error", "sentence_break"):
            raise UserError(f"blank_word: {blank_word!r} is neither error nor sentence_break.")
        # By type: to `isinstance`, the true of a yaml is a whole number as well.
        if type(word) is not int or type(label) is not int:
            raise UserError(f"word: {word!r}, label: {label!r}. Columns are whole numbers, from 1.")
        if comment is not None and not isinstance(comment, str):
            raise UserError(f"comment: {comment!r} is no text. Put it in quotes.")
        if not isinstance(lowercase_labels, bool):
            raise UserError(f"lowercase_labels: {lowercase_labels!r} is neither true nor false.")
        if label_map is not None and not isinstance(label_map, Mapping):
            raise UserError(f"label_map: {label_map!r} is no map such as {{NN: noun, VB: verb}}.")
        for pair in (label_map or {}).items():
            if any(not isinstance(each, str | int) or isinstance(each, bool) for each in pair):
                raise UserError(
                    f"label_map: {pair[0]!r}: {pair[1]!r} is not from text to text. YAML reads "
                    "yes, no, null and their kin as values: put them in quotes."
                )
        if word < 1 or label < 1 or word == label:
            raise UserError(
                f"word: {word}, label: {label}. Columns are counted from 1, and the word and its "
                "label stand in two columns."
            )
        self.word = word
        self.label = label
        self.separator = separator
        self.comment = comment
        self.blank_word = blank_word
        self.lowercase_labels = lowercase_labels
        self.label_map = label_map and {str(old): str(new) for old, new in label_map.items()}

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of a file, and notes on lines that are odd or left out."""
        lines = Lines(file, part)
        rows = [Row(n, line, split_columns(line, self.separator)) for n, line in lines]
        # Without comments, which have any number of columns and may be most lines of a short file.
        plain = [row.cells for row in rows if row.cells and not self._marked(row)]
        usual = usual_columns(plain or (row.cells for row in rows if row.cells))
        words: list[str] = []
        labels: list[str] = []
        for row in rows:
            if note := self._note(row, usual):
                yield note
            if self._is_comment(row, usual):
                continue
            pair = self._pair(lines, row) if row.cells else None
            if pair:
                words.append(pair[0])
                labels.append(pair[1])
            elif words:
                yield Example(tuple(words), tuple(labels))
                words, labels = [], []
        if words:
            yield Example(tuple(words), tuple(labels))

    def _marked(self, row: Row) -> bool:
        return self.comment is not None and row.line.startswith(self.comment)

    def _is_comment(self, row: Row, usual: int) -> bool:
        return self._marked(row) and len(row.cells) != usual

    def _note(self, row: Row, usual: int) -> Note | None:
        """Return what is to be said of a line, if anything."""
        where, columns = f"line {row.number}", len(row.cells)
        if not columns:
            return None
        if self._is_comment(row, usual):
            return Note(f"comment lines ({self.comment}) left out", where, expected=True)
        if row.is_document_start():
            return Note(f"document marks ({DOCUMENT_START}) left out", where, expected=True)
        if not row.line.strip():
            return Note("lines of other white space than blanks, read as sentence ends", where)
        if columns != usual:
            why = " (is there a blank inside a word?)" if self.separator == "blank" else ""
            return Note(f"lines with {columns} columns where most have {usual}{why}", where)
        if self._marked(row):
            text = f"lines that begin with {self.comment} and have {usual} columns, read as words"
            return Note(text, where, expected=True)
        if self.word <= columns and not row.cells[self.word - 1].strip():
            return Note("lines with a blank word, read as sentence ends, label and all", where)
        return None

    def _pair(self, lines: Lines, row: Row) -> tuple[str, str] | None:
        """Return word and label of a line, or None if it ends the sentence."""
        number, line, cells = row
        if not line.strip() or row.is_document_start():
            return None
        least = max(self.word, self.label)
        if len(cells) < least:
            mark = next((mark for mark in COMMENT_MARKS if line.startswith(mark)), "")
            other = next(each for each in SEPARATORS if each != self.separator)
            more = len(split_columns(line, other))
            lines.fail(
                number,
                line,
                f"{len(cells)} column{'s' * (len(cells) != 1)} where at least {least} are expected"
                f" (word: {self.word}, label: {self.label}, separator: {self.separator})."
                + (f" If this is a comment, set `comment: '{mark}'`." if mark else "")
                + (f" With `separator: {other}` it has {more}." if more >= least else ""),
            )
        word, label = cells[self.word - 1], cells[self.label - 1]
        if not word.strip():
            if self.blank_word == "sentence_break":
                return None
            lines.fail(number, line, f"the word (column {self.word}) is blank.")
        if not label.strip():
            lines.fail(number, line, f"the label (column {self.label}) is missing.")
        if self.label_map is not None:
            if label not in self.label_map:
                names = " ".join(self.label_map)
                lines.fail(number, line, f"label '{label}' is none of the expected: {names}.")
            label = self.label_map[label]
        return word, label.lower() if self.lowercase_labels else label
