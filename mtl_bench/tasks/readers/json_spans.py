"""Texts with spans by character offsets, as Prodigy, Doccano and Label Studio export them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines
from mtl_bench.tasks.readers.json_values import is_half_character, json_objects, value_at
from mtl_bench.tasks.readers.texts import WORD

START_NAMES = ("start", "start_offset")
END_NAMES = ("end", "end_offset")
LABEL_NAMES = ("label", "labels")


class Span(NamedTuple):
    """A span of a text: its first character, that behind its last one, and its type."""

    start: int
    end: int
    label: str


class JsonSpanReader:
    """Reads a text and its spans from each line's object; labels are BIO, of words.

    A span is `{"start": 0, "end": 4, "label": "PER"}` (Prodigy; of `labels`, as Label Studio's
    short JSON has it, the first), `{"start_offset": ...}`, or `[0, 4, "PER"]` (both Doccano).
    Label Studio's long JSON, with `data` and `annotations`, is read as well, and of both a file
    with one list of all objects.
    """

    def __init__(self, text: str = "text", spans: str = "spans") -> None:
        """Name the keys of the text and of the list of spans."""
        self.text = text
        self.spans = spans

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the texts of a file, and notes on spans that are not whole words."""
        lines = Lines(file, part)
        for number, line, item in _objects(lines):
            if item.get("answer") in ("reject", "ignore") or _is_cancelled(item):
                yield Note(
                    "texts that the annotator rejected or skipped left out", f"line {number}"
                )
                continue
            content = unwrapped(item, self.spans)
            text = value_at(lines, number, line, content, self.text)
            if not isinstance(text, str):
                lines.fail(number, line, f"'{self.text}' is no text.")
            if any(map(is_half_character, text)):
                lines.fail(number, line, f"'{self.text}' has half a character (a surrogate).")
            given = value_at(lines, number, line, content, self.spans)
            if not isinstance(given, list | None):
                lines.fail(number, line, f"'{self.spans}' is no list of spans.")
            spans = [self._span(lines, number, line, text, each) for each in given or []]
            words = list(WORD.finditer(text))
            if not words:
                yield Note("texts without words left out", f"line {number}")
                continue
            labels = ["O"] * len(words)
            for span in sorted(spans):
                inside = [
                    place
                    for place, word in enumerate(words)
                    if word.start() < span.end and span.start < word.end()
                ]
                if any(labels[place] != "O" for place in inside):
                    yield Note("spans that overlap an earlier one left out", f"line {number}")
                    continue
                if not inside:
                    yield Note("spans without words left out", f"line {number}")
                    continue
                first, last = words[inside[0]], words[inside[-1]]
                if first.start() < span.start or last.end() > span.end:
                    yield Note("spans that cut a word, taken with all of it", f"line {number}")
                for place in inside:
                    labels[place] = f"{'B' if place == inside[0] else 'I'}-{span.label}"
            yield Example(tuple(word.group() for word in words), tuple(labels))

    def _span(self, lines: Lines, number: int, line: str, text: str, given: Any) -> Span:
        """Return a span as a file gives it."""
        span = as_span(given)
        if span is None:
            lines.fail(
                number,
                line,
                f"{json.dumps(given)} in '{self.spans}' is no span. Expected "
                '{"start": 0, "end": 4, "label": "PER"} or [0, 4, "PER"].',
            )
        if is_half_character(span.label):
            lines.fail(number, line, f"{span.label!r} has half a character (a surrogate).")
        if not 0 <= span.start < span.end <= len(text):
            lines.fail(
                number,
                line,
                f"the span from {span.start} to {span.end} is not inside the text, which has "
                f"{len(text)} characters.",
            )
        return span


def as_span(given: Any) -> Span | None:
    """Return a span as one of the formats writes it; None if it is none.

    >>> as_span([0, 4, "PER"]) == as_span({"start": 0, "end": 4, "labels": ["PER"]})
    True
    """
    if isinstance(given, list) and len(given) == 3:
        start, end, label = given
    elif isinstance(given, Mapping):
        start, end, label = (
            next((given[name] for name in names if name in given), None)
            for names in (START_NAMES, END_NAMES, LABEL_NAMES)
        )
        if isinstance(label, list) and label:
            label = label[0]
    else:
        return None
    # By type: to `isinstance`, true is a whole number as well.
    if type(start) is not int or type(end) is not int or not isinstance(label, str):
        return None
    return Span(start, end, label.strip()) if label.strip() else None


def _is_cancelled(item: Mapping[str, Any]) -> bool:
    """Return whether an object of Label Studio's long JSON has no annotation that counts."""
    annotations = item.get("annotations")
    if "data" not in item or not isinstance(annotations, list):
        return False
    first = annotations[0] if annotations else None
    return not isinstance(first, Mapping) or bool(first.get("was_cancelled"))


def unwrapped(item: Mapping[str, Any], spans: str) -> Mapping[str, Any]:
    """Return an object with its spans beside its text, as Label Studio's long JSON has them not."""
    data, annotations = item.get("data"), item.get("annotations")
    if not isinstance(data, Mapping) or not isinstance(annotations, list):
        return item
    first = annotations[0] if annotations else {}
    results = first.get("result", []) if isinstance(first, Mapping) else []
    results = results if isinstance(results, list) else []
    values = [each.get("value") for each in results if isinstance(each, Mapping)]
    # What has no borders is of another kind, such as a choice for the whole text.
    borders = {*START_NAMES, *END_NAMES}
    marked = [v for v in values if isinstance(v, Mapping) and not borders.isdisjoint(v)]
    return {**data, spans: marked}


def _objects(lines: Lines) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Yield number, text and object of each line, or of each item of a list of all."""
    content = list(lines)
    text = "\n".join(line for _, line in content)
    if not text.lstrip().startswith("["):
        yield from json_objects(content, lines)
        return
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        number = getattr(error, "lineno", 1)
        lines.fail(number, content[number - 1][1], f"is not JSON: {error}.")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            lines.fail(number, json.dumps(item)[:200], "is no object (counted in the list).")
        yield number, json.dumps(item)[:200], item
