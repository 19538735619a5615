"""JSON Lines with a text and what it is turned into: an object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines
from mtl_bench.tasks.readers.json_values import json_objects, words_at


class JsonPairReader:
    """Reads two keys of each line's object, both a text or a list of words (`type: seq2seq`)."""

    def __init__(self, source: str = "source", target: str = "target") -> None:
        """Name the keys of the text, and of what it is turned into."""
        self.source = source
        self.target = target

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the pairs of a file, and notes on texts without words."""
        lines = Lines(file, part)
        for number, line, content in json_objects(lines, lines):
            words, target = (
                words_at(lines, number, line, content, key) for key in (self.source, self.target)
            )
            if words and not target:
                lines.fail(number, line, f"'{self.target}' is empty; it has at least one word.")
            if words:
                yield Example(words, list(target))
            else:
                yield Note("texts without words left out", f"line {number}")
