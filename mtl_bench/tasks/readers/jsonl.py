"""JSON Lines: a sentence a line, as an object with a list of words and a list of labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines
from mtl_bench.tasks.readers.json_values import is_half_character, json_objects
from mtl_bench.tasks.readers.texts import checked_names, class_of


class JsonLinesReader:
    """Reads two keys of each line's object: lists of strings of one length."""

    def __init__(
        self, words: str = "tokens", labels: str = "labels", classes: Sequence[str] | None = None
    ) -> None:
        """Name the keys.

        Args:
            words: key of the words.
            labels: key of the labels.
            classes: names of the labels 0, 1, 2, ... of files that have numbers.
        """
        self.words = words
        self.labels = labels
        self.classes = checked_names(classes)

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

    def _texts(
        self, lines: Lines, number: int, line: str, sentence: dict[str, Any], key: str
    ) -> tuple[str, ...]:
        texts = sentence.get(key)
        if not isinstance(texts, list):
            keys = ", ".join(map(str, sentence)) or "none"
            lines.fail(number, line, f"key '{key}' holds no list. Keys: {keys}.")
        if key == self.labels and self.classes:
            texts = [self._named(lines, number, line, label) for label in texts]
        for text in texts:
            if not isinstance(text, str) or not text.strip():
                lines.fail(
                    number,
                    line,
                    f"{json.dumps(text)} in '{key}' is not a string, or blank. Numbers that stand "
                    "for labels get names by the reader's option `classes`: [O, B-PER, ...].",
                )
            if is_half_character(text):
                lines.fail(number, line, f"{text!r} in '{key}' is half a character (a surrogate).")
        return tuple(text.strip() for text in texts)

    def _named(self, lines: Lines, number: int, line: str, label: Any) -> Any:
        """Return the name of a label that may be a number."""
        if not isinstance(label, str | int) or isinstance(label, bool):
            return label
        try:
            return class_of(label, self.classes)
        except ValueError as error:
            lines.fail(number, line, str(error))
