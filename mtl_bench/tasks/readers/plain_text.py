"""Text without labels, a sentence a line: for language models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines
from mtl_bench.tasks.readers.texts import words_of


class PlainTextReader:
    """Reads a sentence a line; the words themselves stand for targets."""

    def __init__(self, split: str = "words") -> None:
        """Say how lines become words.

        Args:
            split: at `blanks`, where words and marks are parted already, or into `words` and
                punctuation marks.
        """
        if split not in ("words", "blanks"):
            raise UserError(f"split: {split!r} is neither words nor blanks.")
        self.split = split

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of a file, and notes on lines without words."""
        for number, line in Lines(file, part):
            if words := words_of(line) if self.split == "words" else tuple(line.split()):
                yield Example(words, words)
            elif line.strip():
                yield Note("lines without words left out", f"line {number}")
