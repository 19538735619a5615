"""JSON Lines: a value a line, for readers of corpora and of sentences to tag."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, Protocol

from mtl_bench.tasks.readers.texts import words_of


class Source(Protocol):
    """Where lines come from."""

    def fail(self, number: int, line: str, problem: str) -> NoReturn:
        """Raise the error that shows a line and what is wrong with it."""


def json_values(lines: Iterable[tuple[int, str]], source: Source) -> Iterator[tuple[int, str, Any]]:
    """Yield number, text and value of each line that is not blank.

    Args:
        lines: numbered.
        source: of the lines, for errors.
    """
    for number, line in lines:
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            source.fail(number, line, f"is not JSON: {error}. Expected one value a line.")
        yield number, line, value


def json_objects(
    lines: Iterable[tuple[int, str]], source: Source
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield number, text and value of each line that is not blank, all of them objects."""
    for number, line, value in json_values(lines, source):
        if not isinstance(value, dict):
            source.fail(number, line, "expected an object, in braces.")
        yield number, line, value


def is_half_character(text: str) -> bool:
    """Return whether a text has half a character (a surrogate).

    JSON can spell one; it fails only where the text is written as UTF-8.
    """
    return any("\ud800" <= character <= "\udfff" for character in text)


def value_at(source: Source, number: int, line: str, content: Mapping[str, Any], key: str) -> Any:
    """Return what stands at a key of a line's object.

    Raises:
        UserError: it has no such key.
    """
    if key not in content:
        keys = ", ".join(map(str, content)) or "none"
        source.fail(number, line, f"has no key '{key}'. Keys: {keys}.")
    return content[key]


def words_at(
    source: Source, number: int, line: str, content: Mapping[str, Any], key: str
) -> tuple[str, ...]:
    """Return the words at a key of a line's object: a text, or a list of words.

    Raises:
        UserError: it has no such key, or another value there.
    """
    text = value_at(source, number, line, content, key)
    if isinstance(text, list) and all(isinstance(word, str) for word in text):
        words = tuple(word.strip() for word in text if word.strip())
    elif isinstance(text, str):
        words = words_of(text)
    else:
        source.fail(number, line, f"'{key}' is neither a text nor a list of words.")
    if any(map(is_half_character, words)):
        source.fail(number, line, f"'{key}' has half a character (a surrogate).")
    return words
