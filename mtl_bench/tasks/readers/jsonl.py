"""JSON Lines: a sentence a line, as an object with a list of words and a list of labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines
from mtl_bench.tasks.readers.json_values import is_half_character, json_objects


class JsonLinesReader:
    """Reads two keys of each line's object: lists of strings of one length."""

    def __init__(self, words: str = "tokens", labels: str = "labels") -> None:
        """Name the keys."""
        self.words = words
        self.labels = labels

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of a file."""
        lines = Lines(file, part)
        for number, line, sentence in json_objects(lines, lines):
            words = self._texts(lines, number, line, sentence, self.words)
            labels = self._texts(lines, number, line, sentence, self.labels)
            if len(words) != len(labels):
                lines.fail(number, line, f"{len(words)} words and {len(labels)} labels.")
            if words:
                yield Example(words, labels)
            else:
                yield Note("sentences without words left out", f"line {number}")

    @staticmethod
    def _texts(
        lines: Lines, number: int, line: str, sentence: dict[str, Any], key: str
    ) -> tuple[str, ...]:
        texts = sentence.get(key)
        if not isinstance(texts, list):
            keys = ", ".join(map(str, sentence)) or "none"
            lines.fail(number, line, f"key '{key}' holds no list. Keys: {keys}.")
        for text in texts:
            if not isinstance(text, str) or not text.strip():
                lines.fail(
                    number,
                    line,
                    f"{json.dumps(text)} in '{key}' is not a string, or blank. Numbers that stand "
                    "for labels are to be written as their names.",
                )
            if is_half_character(text):
                lines.fail(number, line, f"{text!r} in '{key}' is half a character (a surrogate).")
        return tuple(text.strip() for text in texts)
