"""How sentences are written: a sentence a line, a word a line, JSON Lines, or running text.

Each function takes numbered lines and yields the words of one sentence after another; a sentence
may have none. What stands beside the words, such as further columns or keys, is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from mtl_bench.tasks.readers.columns import BLANKS, split_columns
from mtl_bench.tasks.readers.conllu import FIELDS
from mtl_bench.tasks.readers.json_values import is_half_character, json_values
from mtl_bench.tasks.sentences.stream import MOST_WORDS, StreamLines

Words = tuple[str, ...]
NumberedLines = Iterator[tuple[int, str]]

FORMATS = ("plain", "conll", "jsonl", "raw")
WORD_KEYS = ("words", "tokens")

# `# text = ...` of CoNLL-U; a word # has no such text behind it.
COMMENT = re.compile(r"#\s*([\w.:-]+\s*=|newdoc\b|newpar\b|global\.columns\b)")
WORD_NUMBER = re.compile(r"\d+([-.]\d+)?")


def plain(lines: NumberedLines, source: StreamLines) -> Iterator[Words]:
    """Yield a sentence for each line, words parted by blanks; none for a blank line."""
    for number, line in lines:
        text = line.strip(" \t")
        yield source.check_words(number, tuple(BLANKS.split(text)) if text else ())


def conll(lines: NumberedLines, source: StreamLines, column: int | None = None) -> Iterator[Words]:
    """Yield a sentence for each block of lines between blank ones, a word a line.

    Args:
        lines: numbered.
        source: of the lines, for errors.
        column: of the words, from 1. By default the first, or that of CoNLL-U in a line that looks
            like it: ten columns, the first a number.
    """
    words: list[str] = []
    number = 0
    for number, line in lines:
        if not line.strip() or line.upper().startswith("-DOCSTART-"):
            if words:
                yield source.check_words(number, tuple(words))
            words = []
        elif not (COMMENT.match(line) and not words):
            cells = split_columns(line, "tab" if "\t" in line else "blank")
            if column is None and len(cells) == len(FIELDS) and WORD_NUMBER.fullmatch(cells[0]):
                # Ranges of words (1-2) and empty nodes (1.1) are no words.
                cells = [cells[1]] if cells[0].isdecimal() else []
            if cells:
                words.append(_cell(cells, column or 1, number, line, source))
            if len(words) > MOST_WORDS:  # before memory is full
                source.check_words(number, tuple(words))
    if words:
        yield source.check_words(number, tuple(words))


def _cell(cells: Sequence[str], column: int, number: int, line: str, source: StreamLines) -> str:
    """Return the word of a line."""
    if len(cells) < column:
        source.fail(
            number, line, f"{len(cells)} columns, but words are in column {column} (--word)."
        )
    if not cells[column - 1].strip():
        source.fail(number, line, f"the word (column {column}) is blank.")
    return cells[column - 1]


def jsonl(lines: NumberedLines, source: StreamLines, key: str | None = None) -> Iterator[Words]:
    """Yield a sentence for each line: an object with a list of words, or the list itself.

    Args:
        lines: numbered.
        source: of the lines, for errors.
        key: of the words in an object; by default one of WORD_KEYS.
    """
    keys = (key,) if key else WORD_KEYS
    for number, line, content in json_values(lines, source):
        words = content
        if isinstance(content, dict):
            words = next((content[name] for name in keys if name in content), None)
        if not isinstance(words, list):
            source.fail(
                number,
                line,
                f"expected a list of words, or an object with one as {' or '.join(map(repr, keys))}"
                f" (--word names another key).{_keys(content)}",
            )
        for word in words:
            if not isinstance(word, str) or not word.strip():
                source.fail(
                    number, line, f"{json.dumps(word)[:60]} is no word: expected text in quotes."
                )
            if is_half_character(word):
                source.fail(number, line, f"{word!r} is half a character (a surrogate).")
        yield source.check_words(number, tuple(words))


def _keys(content: object) -> str:
    if not isinstance(content, dict):
        return ""
    return f" Keys: {', '.join(map(str, content)) or 'none'}."
