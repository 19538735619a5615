"""What format a file of labelled words has: guessed from its content, and explained."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.tasks.cache import READERS
from mtl_bench.tasks.readers.conllu import FIELDS
from mtl_bench.tasks.readers.files import Lines

SHOWN = 20
"""Columns that are explained, and characters of a value that are shown."""

FEW = 0.3
"""Labels are fewer than this share of the words they label; else a column holds no labels."""


@dataclass
class Guess:
    """A reader for a file.

    Attributes:
        reader: `_target_` and options, as in a task's yaml.
        reasons: what was seen, a sentence each.
    """

    reader: dict[str, Any]
    reasons: list[str] = field(default_factory=list)


def guess(
    files: Sequence[Path], word: int | str | None = None, label: int | str | None = None
) -> Guess:
    """Guess the format that some files share.

    Args:
        files: of labelled words; plain or compressed.
        word: column (from 1) or key of the words, where the user knows.
        label: column, key or field of the labels.

    Raises:
        UserError: a file cannot be read, or is no table of labelled words.
    """
    file = files[0]
    lines = [line for each in files for _, line in Lines(each)]
    filled = [line for line in lines if line.strip()]
    if not filled:
        raise UserError(f"{file}: has blank lines only.")
    if filled[0].lstrip().startswith("[") and not filled[0].rstrip().endswith("]"):
        raise UserError(
            f"{file}: looks like a JSON list. JSON Lines have an object a line, such as "
            '{"tokens": ["The", "cat"], "labels": ["DT", "NN"]}.'
        )
    if any(line.lstrip().startswith("{") for line in filled[:SHOWN]):
        return _json_lines(file, filled, word, label)
    rows = [line.split("\t") for line in filled if not line.startswith("#")]
    numbered = sum(len(row) == len(FIELDS) and row[0][:1].isdecimal() for row in rows)
    if numbered > 0.9 * len(rows):
        if word is not None:
            raise UserError(f"--word {word}: the words of CoNLL-U are its second column, always.")
        return _conllu(rows, label)
    return _columns(file, filled, _number(word, "word"), _number(label, "label"))


def _number(column: int | str | None, name: str) -> int | None:
    try:
        return None if column is None else int(column)
    except ValueError:
        raise UserError(f"--{name} {column}: columns are whole numbers, from 1.") from None


def _json_lines(
    file: Path, lines: Sequence[str], word: int | str | None, label: int | str | None
) -> Guess:
    line = next(line for line in lines if line.lstrip().startswith("{"))
    try:
        first = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{file}: begins with a brace, but is not JSON: {error}.\n    {line[:200]!r}"
        ) from None
    lists = [key for key, value in first.items() if isinstance(value, list)]
    if word is None:
        word = next((k for k in ("tokens", "words", *lists) if k in lists), None)
    others = [key for key in lists if key != word]
    if label is None:
        usual = ("labels", "tags", "ner_tags", "pos_tags")
        label = next((k for k in (*usual, *others) if k in others), None)
    if word is None or label is None or word == label:
        raise UserError(
            f"{file}: expected two lists, of words and of labels. Lists found: "
            f"{', '.join(lists) or 'none'}.\n    {line[:200]!r}"
        )
    reader = {
        "_target_": f"{READERS}jsonl.JsonLinesReader",
        "words": str(word),
        "labels": str(label),
    }
    seen = f"JSON Lines: lines are objects with the lists {', '.join(lists)}."
    return Guess(reader, [seen, f"Words in '{word}', labels in '{label}'."])


def _conllu(rows: Sequence[Sequence[str]], label: int | str | None) -> Guess:
    full = [
        name
        for name in ("upos", "xpos", "deprel", "feats")
        if any(len(row) == len(FIELDS) and row[FIELDS.index(name)] != "_" for row in rows)
    ]
    chosen = str(label or (full or ["upos"])[0])
    reader = {"_target_": f"{READERS}conllu.ConlluReader", "label": chosen}
    return Guess(
        reader,
        [
            "CoNLL-U: ten columns with tabs, the first numbers the words.",
            f"Fields with labels: {', '.join(full) or 'none'}; '{chosen}' is taken (--label).",
        ],
    )


def _columns(file: Path, filled: Sequence[str], word: int | None, label: int | None) -> Guess:
    separator = "tab" if sum("\t" in line for line in filled) > len(filled) / 2 else "blank"
    rows = [line.split("\t" if separator == "tab" else None) for line in filled]
    count = Counter(map(len, rows)).most_common(1)[0][0]
    # A line that begins with # may be the word #: comments have other numbers of columns.
    marked = [(line, row) for line, row in zip(filled, rows, strict=True) if line[0] == "#"]
    odd = sum(len(row) != count for _, row in marked)
    comments = [line for line, _ in marked] if 2 * odd > len(marked) else []
    reasons = [f"{count} columns, separated by {separator}s."]
    if count < 2:
        raise UserError(
            f"{file}: most lines have one column. Expected a word and a label a line, with a tab "
            f"or blanks between.\n    {filled[0][:200]!r}"
        )
    ignored = set(comments)
    kept = [row for line, row in zip(filled, rows, strict=True) if line not in ignored]
    columns = [[row[n].strip() for row in kept if len(row) > n] for n in range(count)]
    types = [len(set(column)) for column in columns]
    numbers = [all(cell.isdecimal() for cell in column) for column in columns]
    if word is None:
        candidates = [n for n in range(count) if not numbers[n] and n + 1 != label] or [0]
        word = 1 + max(candidates, key=lambda n: (types[n], -n))
    if label is None:
        few = [
            n
            for n in range(count)
            if n + 1 != word and not numbers[n] and 1 < types[n] <= max(2, FEW * len(columns[n]))
        ]
        label = 1 + (few[-1] if few else next(n for n in range(count)[::-1] if n + 1 != word))
    for number, column in enumerate(columns, start=1):
        if number > SHOWN:
            reasons.append(f"... and {count - SHOWN} more columns")
            break
        shown = ", ".join(value[:SHOWN] for value, _ in Counter(column).most_common(4))
        role = {word: " -> the words (most values)", label: " -> the labels (last with few values)"}
        what = "numbers" if numbers[number - 1] else f"{types[number - 1]} values: {shown}, ..."
        reasons.append(f"column {number}: {what}{role.get(number, '')}")
    reasons.append("Not so? Say `--word N --label N`.")
    reader: dict[str, Any] = {
        "_target_": f"{READERS}columns.ColumnReader",
        "word": word,
        "label": label,
        "separator": separator,
    }
    if comments:
        reader["comment"] = "#"
        reasons.append(f"Lines that begin with # are comments, such as {comments[0][:60]!r}.")
    if any(not row[word - 1].strip() for row in kept if len(row) >= word):
        reader["blank_word"] = "sentence_break"
        reasons.append("Some lines have a blank word; each is taken as the end of a sentence.")
    return Guess(reader, reasons)
