"""One word a line in columns, a blank line after each sentence: CoNLL, TSV and their kin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import Sentence
from mtl_bench.tasks.readers.files import Lines

SEPARATORS = {"tab": "\t", "blank": None}


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
            separator: `tab`, or `blank` for any run of white space.
            comment: lines that start so are skipped, between sentences and within.
            blank_word: a line whose word is only white space is an `error` or a
                `sentence_break`.
            lowercase_labels: fold labels to lower case.
            label_map: new name by label; it must name every label of the file.
        """
        if separator not in SEPARATORS:
            raise UserError(f"separator: {separator!r} is none of {', '.join(SEPARATORS)}.")
        if blank_word not in ("error", "sentence_break"):
            raise UserError(f"blank_word: {blank_word!r} is neither error nor sentence_break.")
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

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Sentence]:
        """Yield the sentences of a file."""
        if file is None:
            raise UserError("a column reader needs `file:` in each split of the task's yaml.")
        lines = Lines(file, part)
        words: list[str] = []
        labels: list[str] = []
        for number, line in lines:
            if self.comment and line.startswith(self.comment):
                continue
            pair = self._pair(lines, number, line) if line.strip() else None
            if pair:
                words.append(pair[0])
                labels.append(pair[1])
            elif words:
                yield Sentence(tuple(words), tuple(labels))
                words, labels = [], []
        if words:
            yield Sentence(tuple(words), tuple(labels))

    def _pair(self, lines: Lines, number: int, line: str) -> tuple[str, str] | None:
        """Return word and label of a line, or None if it breaks the sentence."""
        cells = line.split(SEPARATORS[self.separator])
        needed = max(self.word, self.label)
        if len(cells) < needed:
            lines.fail(
                number,
                line,
                f"{len(cells)} column{'s' * (len(cells) != 1)} where at least {needed} are expected"
                f" (word: {self.word}, label: {self.label}, separator: {self.separator})."
                + (" If this is a comment, set `comment: '#'`." if line.startswith("#") else ""),
            )
        word, label = cells[self.word - 1].strip(), cells[self.label - 1].strip()
        if not word:
            if self.blank_word == "sentence_break":
                return None
            lines.fail(number, line, f"the word (column {self.word}) is blank.")
        if not label:
            lines.fail(number, line, f"the label (column {self.label}) is missing.")
        if self.label_map is not None:
            if label not in self.label_map:
                known = " ".join(self.label_map)
                lines.fail(number, line, f"label '{label}' is none of the expected: {known}.")
            label = self.label_map[label]
        return word, label.lower() if self.lowercase_labels else label
