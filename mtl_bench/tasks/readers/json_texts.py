"""JSON Lines with a text and its class: an object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines
from mtl_bench.tasks.readers.json_values import (
    is_half_character,
    json_objects,
    value_at,
    words_at,
)
from mtl_bench.tasks.readers.texts import checked_names, class_of


class JsonTextReader:
    """Reads two keys of each line's object: a text, or a list of its words, and a class."""

    def __init__(
        self, text: str = "text", label: str = "label", classes: Sequence[str] | None = None
    ) -> None:
        """Name the keys.

        Args:
            text: key of the text.
            label: key of the class.
            classes: names of the classes 0, 1, 2, ... of files that have numbers.
        """
        self.text = text
        self.label = label
        self.classes = checked_names(classes)

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the texts of a file, and notes on those without words."""
        lines = Lines(file, part)
        for number, line, content in json_objects(lines, lines):
            words = words_at(lines, number, line, content, self.text)
            label = value_at(lines, number, line, content, self.label)
            label = self._class(lines, number, line, label)
            if words:
                yield Example(words, label)
            else:
                yield Note("texts without words left out", f"line {number}")

    def _class(self, lines: Lines, number: int, line: str, label: Any) -> str:
        if not isinstance(label, str | int):
            lines.fail(number, line, f"'{self.label}' is {json.dumps(label)}, not one class.")
        try:
            name = class_of(json.dumps(label) if isinstance(label, bool) else label, self.classes)
        except ValueError as error:
            lines.fail(number, line, str(error))
        if is_half_character(name):
            lines.fail(number, line, f"'{self.label}' has half a character (a surrogate).")
        return name
