"""JSON Lines: a sentence a line, as an object with a list of words and a list of labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines


class JsonLinesReader:
    """Reads two keys of each line's object: lists of strings of one length."""

    def __init__(self, words: str = "tokens", labels: str = "labels") -> None:
        """Name the keys."""
        self.words = words
        self.labels = labels

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of a file."""
        if file is None:
            raise UserError("this reader needs `file:` in each split of the task's yaml.")
        lines = Lines(file, part)
        for number, line in lines:
            if not line.strip():
                continue
            try:
                sentence = json.loads(line)
            except (ValueError, RecursionError) as error:
                lines.fail(number, line, f"is not JSON: {error}.")
            if not isinstance(sentence, dict):
                lines.fail(number, line, "expected an object, in braces.")
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
            # JSON can spell half a character; it fails only where the word is written as UTF-8.
            if any("\ud800" <= character <= "\udfff" for character in text):
                lines.fail(number, line, f"{text!r} in '{key}' is half a character (a surrogate).")
        return tuple(text.strip() for text in texts)
