"""Which of the formats some lines have: guessed from the file's name or the first lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from mtl_bench.tasks.readers.columns import COMMENT_MARKS, split_columns
from mtl_bench.tasks.sentences.formats import NumberedLines

SUFFIXES = {
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    **dict.fromkeys((".conll", ".conllu", ".iob", ".bio", ".tsv"), "conll"),
}
LOOKED_AT = 30
"""Lines that are looked at; they must have come before the first sentence is tagged."""


class Guess(NamedTuple):
    """A format, and why it is taken; no reason where the file's name says it."""

    format: str
    reason: str = ""


def guess_format(name: str, lines: NumberedLines) -> tuple[Guess, NumberedLines]:
    """Return the likely format of some lines, and the lines, the first ones included.

    Args:
        name: of the file.
        lines: numbered; the first are read.
    """
    path = Path(name)
    suffix = path.with_suffix("").suffix if path.suffix in (".gz", ".bz2", ".xz") else path.suffix
    if suffix in SUFFIXES:
        return Guess(SUFFIXES[suffix]), lines
    first = list(islice(lines, LOOKED_AT))
    return _of_lines([line for _, line in first]), chain(first, lines)


def _of_lines(lines: Sequence[str]) -> Guess:
    """Return the format of some lines."""
    texts = [line for line in lines if line.strip()]
    if not texts:
        return Guess("plain")
    if _is_json(texts[0]):
        return Guess("jsonl", "its first line is JSON")
    others = [line for line in texts if not line.startswith(COMMENT_MARKS)] or texts
    if any("\t" in line for line in others):
        return Guess("conll", "its lines have columns with tabs")
    widths = Counter(len(split_columns(line, "blank")) for line in others)
    if len(widths) == 1 and len(others) > 1:
        [width] = widths
        if width == 1:
            return Guess("conll", "its lines have one word each")
        # As many words in each line may be chance: templates, tweets.
        if _has_inner_break(lines):
            return Guess("conll", f"its lines have {width} columns each, with blank lines between")
    return Guess("plain", "nothing marks columns: no tabs, no blank lines between equal ones")


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return line.lstrip().startswith('{"')  # damaged: its reader says where


def _has_inner_break(lines: Iterable[str]) -> bool:
    """Return whether a blank line stands between two others."""
    text = "".join("x" if line.strip() else " " for line in lines)
    return " " in text.strip()
