"""What format a file of labelled words has: guessed from its content, and explained."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.tasks.cache import READERS
from mtl_bench.tasks.readers.columns import (
    COMMENT_MARKS,
    DOCUMENT_START,
    SEPARATORS,
    split_columns,
    usual_columns,
)
from mtl_bench.tasks.readers.conllu import FIELDS
from mtl_bench.tasks.readers.files import Lines

LABEL_KEYS = ("labels", "tags", "ner_tags", "pos_tags")
"""What JSON Lines usually call the labels."""

SHOWN = 20
"""Columns that are explained, and characters of a value that are shown."""

FEW = 0.3
"""Labels are fewer than this share of the words they label; else a column holds no labels."""

UNIQUE, ENOUGH = 0.9, 50
"""Of at least so many values, more than this share occurs once: identifiers, if any other column
could hold the words."""


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
    files: Sequence[Path],
    word: int | str | None = None,
    label: int | str | None = None,
    separator: str | None = None,
) -> Guess:
    """Guess the format that some files share.

    Args:
        files: of labelled words; plain or compressed.
        word: column (from 1) or key of the words, where the user knows.
        label: column, key or field of the labels.
        separator: of columns, `tab` or `blank`.

    Raises:
        UserError: a file cannot be read, or is no table of labelled words.
    """
    file = files[0]
    by_file = {each: [line for _, line in Lines(each)] for each in files}
    lines = [line for each in by_file.values() for line in each]
    filled = [line for line in lines if line.strip()]
    if not filled:
        raise UserError(f"{file}: has blank lines only.")
    if filled[0].lstrip().startswith("[") and not filled[0].rstrip().endswith("]"):
        raise UserError(
            f"{file}: looks like a JSON list. JSON Lines have an object a line, such as "
            '{"tokens": ["The", "cat"], "labels": ["DT", "NN"]}.'
        )
    if separator is None and any(line.lstrip().startswith("{") for line in filled[:SHOWN]):
        return _json_lines(file, filled, word, label)
    rows = [line.split("\t") for line in filled if not line.startswith("#")]
    numbered = sum(len(row) == len(FIELDS) and row[0][:1].isdecimal() for row in rows)
    if separator is None and numbered > 0.9 * len(rows):
        if word is not None:
            raise UserError(f"--word {word}: the words of CoNLL-U are its second column, always.")
        return _conllu(rows, label)
    if label is None:
        _same_columns(by_file, separator or _separator(filled))
    return _columns(file, lines, separator, _number(word, "word"), _number(label, "label"))


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
        words = [key for key in lists if key not in LABEL_KEYS]
        word = next((k for k in ("tokens", "words", *words, *lists) if k in lists), None)
    others = [key for key in lists if key != word]
    if label is None:
        label = next((k for k in (*LABEL_KEYS, *others) if k in others), None)
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
    taken = f"Words in '{word}', labels in '{label}' (--word, --label name other keys)."
    return Guess(reader, [seen, taken])


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


def _columns(
    file: Path, lines: Sequence[str], separator: str | None, word: int | None, label: int | None
) -> Guess:
    filled = [line for line in lines if line.strip(" \t")]
    separator = separator or _separator(filled)
    usual = usual_columns(split_columns(line, separator) for line in _plain(filled))
    if usual < 2:
        raise UserError(
            f"{file}: most lines have one column. Expected a word and a label a line, with a tab "
            f"or blanks between.\n    {filled[0][:200]!r}"
        )
    sentences = _sentences(lines, separator, usual)
    rows = [row for rows in sentences for row in rows]
    columns = [
        _Column(n + 1, [[row[n] for row in rows] for rows in sentences]) for n in range(usual)
    ]
    if word is None:
        word = _word_column(columns, label)
    possible = [] if label else _label_columns(columns, word)
    if label is None:
        label = possible[-1]
    reasons = [f"{usual} columns, separated by {separator}s."]
    for column in columns[:SHOWN]:
        role = {word: " -> the words", label: " -> the labels"}.get(column.number, "")
        reasons.append(f"column {column.number}: {column.describe()}{role}")
    if len(possible) > 1:
        numbers = ", ".join(map(str, possible))
        reasons.append(f"Columns {numbers} may hold labels; the last is taken.")
    if usual > SHOWN:
        reasons.append(f"... and {usual - SHOWN} more columns")
    reasons.append("If this is wrong, type `--word N --label N --separator tab|blank`.")
    reader: dict[str, Any] = {
        "_target_": f"{READERS}columns.ColumnReader",
        "word": word,
        "label": label,
        "separator": separator,
    }
    for mark in COMMENT_MARKS:
        marked = [line for line in filled if line.startswith(mark)]
        cells = [split_columns(line, separator) for line in marked]
        comments = [line for line, row in zip(marked, cells, strict=True) if len(row) != usual]
        if comments and "comment" not in reader:
            reader["comment"] = mark
            reasons.append(
                f"{len(comments):,} lines that begin with {mark} and have not {usual} columns are "
                f"comments, such as {comments[0][:60]!r}."
            )
        alone = sum(len(row) == usual and row[0] == mark for row in cells)
        if alone > len(sentences) / 2:
            reasons.append(
                f"{alone:,} lines have {mark} for a word and {usual} columns, and are read. If "
                f"they are comments, remove them: `grep -v '^{mark}[[:blank:]]'`."
            )
    if word <= usual and any(not row[word - 1].strip() for row in rows):
        reader["blank_word"] = "sentence_break"
        reasons.append("Some lines have a blank word; each is taken as the end of a sentence.")
    return Guess(reader, reasons)


def _same_columns(by_file: Mapping[Path, Sequence[str]], separator: str) -> None:
    """Raise an error if files have different numbers of columns: one reader is for all."""
    usual = {
        file: usual_columns(
            split_columns(line, separator) for line in _plain([x for x in lines if x.strip(" \t")])
        )
        for file, lines in by_file.items()
    }
    if len(set(usual.values())) > 1:
        shown = ", ".join(f"{file.name} {columns}" for file, columns in usual.items())
        raise UserError(
            f"the files have different numbers of columns: {shown}. All of them are read alike; if "
            "words and labels stand in the same columns all the same, type `--word N --label N`."
        )


def _separator(lines: Sequence[str]) -> str:
    """Return the separator with which most lines have the same number of columns.

    Of two as good it is the tab, unless it leaves the first column empty: then lines are indented.
    """
    lines = _plain(lines)

    def quality(separator: str) -> tuple[float, bool]:
        rows = [_without_empty_ends(split_columns(line, separator)) for line in lines]
        usual = usual_columns(rows)
        if usual < 2 or not any(row[0].strip() for row in rows):
            return 0.0, False
        return sum(len(row) == usual for row in rows) / len(rows), separator == "tab"

    return max(SEPARATORS, key=quality)


def _plain(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines that do not begin like comments; all of them if every line does."""
    return [line for line in lines if not line.startswith(COMMENT_MARKS)] or lines


def _without_empty_ends(cells: list[str]) -> list[str]:
    """Return cells without the empty ones at the end of some lines."""
    while len(cells) > 1 and not cells[-1]:
        cells = cells[:-1]
    return cells


def _sentences(lines: Sequence[str], separator: str, usual: int) -> list[list[list[str]]]:
    """Return the cells of lines with the usual number of columns, by sentence."""
    sentences: list[list[list[str]]] = [[]]
    for line in lines:
        cells = split_columns(line, separator)
        if len(cells) == usual and not line.startswith(DOCUMENT_START):
            sentences[-1].append(cells)
        elif not cells and sentences[-1]:
            sentences.append([])
    return [rows for rows in sentences if rows]


class _Column:
    """What is to be known of a column to tell words and labels from other things."""

    def __init__(self, number: int, sentences: Sequence[Sequence[str]]) -> None:
        """Take its number, counted from 1, and its values by sentence."""
        self.number = number
        self.counts = Counter(value for values in sentences for value in values)
        self.total = self.counts.total()
        longer = [values for values in sentences if len(values) > 1]
        lettered = sum(n for x, n in self.counts.items() if any(c.isalpha() for c in x))
        # Numbers, offsets such as 12:15, and what a whole sentence shares, such as its name.
        self.numeric = not lettered
        self.of_sentence = len(longer) > 1 and all(len(set(values)) == 1 for values in longer)
        once = sum(n == 1 for n in self.counts.values())
        self.unique = self.total >= ENOUGH and once > UNIQUE * self.total
        # Text has far more different words than a set of labels has labels.
        self.textual = len(self.counts) > 2 * sqrt(self.total)

    def describe(self) -> str:
        """Return a few words on its values."""
        shown = ", ".join(value[:SHOWN] for value, _ in self.counts.most_common(4))
        if self.numeric:
            return f"numbers or signs: {shown}, ..."
        note = ", nearly all of them once" if self.unique else ""
        note = ", the same in a whole sentence" if self.of_sentence else note
        count = f"{len(self.counts):,} value{'s' * (len(self.counts) != 1)}"
        return f"{count}{note}: {shown}" + ", ..." * (len(self.counts) > 4)


def _word_column(columns: Sequence[_Column], label: int | None) -> int:
    """Return the column with the most values that is no list of numbers or names of lines."""
    others = [column for column in columns if column.number != label]
    usual = [column for column in others if not (column.numeric or column.of_sentence)]
    text = [column for column in usual if column.textual and not column.unique]
    return max(text or usual or others, key=lambda c: (len(c.counts), -c.number)).number


def _label_columns(columns: Sequence[_Column], word: int) -> list[int]:
    """Return the columns with few values; without any, those that are not of the words."""
    others = [column for column in columns if column.number != word]
    few = [
        column
        for column in others
        if not (column.numeric or column.of_sentence)
        and 1 < len(column.counts) <= max(2, FEW * column.total)
    ]
    return [column.number for column in few or others]
