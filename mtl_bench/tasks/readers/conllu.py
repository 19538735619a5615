"""CoNLL-U: the format of Universal Dependencies, https://universaldependencies.org/format.html."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines

FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")


class ConlluReader:
    """Reads the words and one field of the syntactic words.

    Ranges such as `1-2` (a token of several words) and empty nodes such as `1.1` are skipped.
    """

    def __init__(self, label: str) -> None:
        """Name the field that holds the label, such as `upos` or `deprel`."""
        if label not in FIELDS[2:]:
            raise UserError(f"label: {label!r} is none of {', '.join(FIELDS[2:])}.")
        self.column = FIELDS.index(label)

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of a file."""
        lines = Lines(file, part)
        words: list[str] = []
        labels: list[str] = []
        for number, line in lines:
            # Always a comment: a word # has its number before it.
            if line.startswith("#"):
                continue
            if not line.strip():
                if words:
                    yield Example(tuple(words), tuple(labels))
                words, labels = [], []
                continue
            cells = line.split("\t")
            if len(cells) != len(FIELDS):
                lines.fail(number, line, f"{len(cells)} fields, {len(FIELDS)} are expected (tabs).")
            if not cells[0].isdecimal():
                if not cells[0].replace("-", "").replace(".", "").isdecimal():
                    lines.fail(number, line, f"{cells[0]!r} is not the number of a word.")
                text = "ranges of words (1-2) and empty nodes (1.1) left out"
                yield Note(text, f"line {number}", expected=True)
                continue
            if not cells[1].strip() or not cells[self.column].strip():
                lines.fail(number, line, f"the form or the {FIELDS[self.column]} is blank.")
            words.append(cells[1].strip())
            labels.append(cells[self.column].strip())
        if words:
            yield Example(tuple(words), tuple(labels))
