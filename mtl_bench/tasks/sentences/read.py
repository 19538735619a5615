"""Sentences of a file or a pipe, in the format that is named or guessed, a chunk at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mtl_bench.errors import UserError
from mtl_bench.tasks.sentences.formats import NumberedLines, Words, conll, jsonl, plain
from mtl_bench.tasks.sentences.guess import guess_format
from mtl_bench.tasks.sentences.raw import raw
from mtl_bench.tasks.sentences.stream import StreamLines

MOST_CHUNK_WORDS = 100_000
"""Words after which a chunk ends, however few its sentences are."""


@dataclass(frozen=True)
class Format:
    """How sentences are written, as far as the user says it.

    Attributes:
        name: one of FORMATS; None has it guessed.
        word: column (from 1) of `conll`, or key of `jsonl`.
        language: of `raw`; None is English.
    """

    name: str | None = None
    word: str | None = None
    language: str | None = None


def sentences(source: StreamLines, format_: Format) -> Iterator[Words]:
    """Yield the words of one sentence after another.

    Raises:
        UserError: a line is not of the format; file, line, what was seen, what is allowed.
    """
    lines: NumberedLines = iter(source)
    name = format_.name
    if name is None:
        guess, lines = guess_format(source.name, lines)
        name = guess.format
        if guess.reason:
            text = f"note: {source.name}: read as {name}, since {guess.reason} (--input)"
            print(text, file=sys.stderr)
    if format_.language and name != "raw":
        raise UserError(f"--language {format_.language}: goes with --raw; words of {name} are cut.")
    if format_.word and name not in ("conll", "jsonl"):
        raise UserError(f"--word {format_.word}: goes with conll and jsonl, not with {name}.")
    if name == "conll":
        return conll(lines, source, _column(format_.word))
    if name == "jsonl":
        return jsonl(lines, source, format_.word)
    if name == "raw":
        return raw(lines, source, format_.language or "en")
    return plain(lines, source)


def _column(word: str | None) -> int | None:
    if word is None:
        return None
    if not word.isdecimal() or int(word) < 1:
        raise UserError(f"--word {word}: columns of conll are whole numbers, from 1.")
    return int(word)


def chunks(sentences: Iterable[Words], size: int) -> Iterator[list[Words]]:
    """Yield lists of at most so many sentences, fewer if they are long."""
    chunk: list[Words] = []
    words = 0
    for sentence in sentences:
        chunk.append(sentence)
        words += len(sentence)
        if len(chunk) >= size or words >= MOST_CHUNK_WORDS:
            yield chunk
            chunk, words = [], 0
    if chunk:
        yield chunk
