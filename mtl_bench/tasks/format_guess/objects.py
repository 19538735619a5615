"""JSON objects with spans by character offsets, or with a text and what it is turned into."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_bench.tasks.cache import READERS
from mtl_bench.tasks.format_guess.columns import Guess
from mtl_bench.tasks.readers.json_spans import as_span, unwrapped

SPAN_KEYS = ("spans", "entities", "label", "labels")
PAIRS = (("source", "target"), ("input", "output"))
"""What files call a text and what it is turned into."""


def guess_json_spans(
    first: Mapping[str, Any], text: int | str | None, spans: int | str | None
) -> Guess | None:
    """Return the reader of objects with a text and spans by character offsets; None of others.

    Args:
        first: object of the file.
        text: key of the text, where the user knows.
        spans: key of the spans.
    """
    content = unwrapped(first, "spans")
    keys = [spans] if spans is not None else [*SPAN_KEYS, *content]
    key = next((each for each in keys if _are_spans(content.get(str(each)))), None)
    texts = [name for name, value in content.items() if isinstance(value, str)]
    text = text or ("text" if "text" in texts else next(iter(texts), None))
    if key is None or text not in texts:
        return None
    reader = {"_target_": f"{READERS}json_spans.JsonSpanReader", "text": text, "spans": key}
    reasons = [
        f"JSON: objects with a text in '{text}' and spans by character offsets in '{key}'.",
        "Words are split, and labelled by BIO (--word, --label name other keys).",
    ]
    return Guess(reader, reasons)


def guess_span_list(
    lines: Sequence[str], text: int | str | None, spans: int | str | None
) -> Guess | None:
    """Return the reader of one list of all objects, as Label Studio exports; None of others."""
    try:
        items = json.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None
    return _first(items, text, spans)


def guess_span_lines(
    lines: Sequence[str], text: int | str | None, spans: int | str | None
) -> Guess | None:
    """Return the reader of an object a line, of which some have spans; None of others."""
    items = []
    for line in lines:
        try:
            items.append(json.loads(line))
        except (ValueError, RecursionError):
            continue  # the reader names it
    return _first(items, text, spans)


def _first(items: Sequence[Any], text: int | str | None, spans: int | str | None) -> Guess | None:
    """Return what the first object with a span tells."""
    guesses = (guess_json_spans(each, text, spans) for each in items if isinstance(each, Mapping))
    return next(filter(None, guesses), None)


def guess_json_pairs(
    first: Mapping[str, Any], source: int | str | None, target: int | str | None
) -> Guess | None:
    """Return the reader of objects with a text and what it is turned into; None of others.

    Args:
        first: object of the file.
        source: key of the text, where the user knows.
        target: key of what it is turned into.
    """
    usual = next((pair for pair in PAIRS if all(key in first for key in pair)), None)
    named = {key for key in (source, target) if key is not None}
    has_words = any(isinstance(first.get(key), list) for key in ("tokens", "words"))
    if usual is None or has_words or not named <= set(usual):
        return None
    keys = (str(source or usual[0]), str(target or usual[1]))
    if not all(isinstance(first.get(key), str | list) for key in keys):
        return None
    reader = {
        "_target_": f"{READERS}json_pairs.JsonPairReader",
        "source": keys[0],
        "target": keys[1],
    }
    reasons = [
        f"JSON Lines: an object a line, with a text in '{keys[0]}' and another in '{keys[1]}'.",
        "The one is turned into the other: its type is seq2seq (--word, --label name other keys).",
    ]
    return Guess(reader, reasons, "seq2seq")


def _are_spans(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and as_span(value[0]) is not None
