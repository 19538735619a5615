"""Files in columns: the separator, the column of the words and that of the labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.tasks.cache import READERS
from mtl_bench.tasks.format_guess.column import SHOWN, Column, label_columns, word_column
from mtl_bench.tasks.readers.columns import (
    COMMENT_MARKS,
    DOCUMENT_START,
    SEPARATORS,
    split_columns,
    usual_columns,
)


@dataclass
class Guess:
    """A reader for a file.

    Attributes:
        reader: `_target_` and options, as in a task's yaml.
        reasons: what was seen, a sentence each.
        type: of the task, a file of `conf/type`.
    """

    reader: dict[str, Any]
    reasons: list[str] = field(default_factory=list)
    type: str = "tagging"


def guess_columns(
    file: Path, lines: Sequence[str], separator: str, word: int | None, label: int | None
) -> Guess:
    """Guess which columns hold words and labels; a column that the user names is not guessed."""
    texts = [line for line in lines if line.strip(" \t")]
    usual = usual_columns(split_columns(line, separator) for line in _plain(texts))
    if usual < 2:
        raise UserError(
            f"{file}: most lines have one column. Expected a word and a label a line, with a tab "
            f"or blanks between.\n    {texts[0][:200]!r}"
        )
    sentences = _sentences(lines, separator, usual)
    rows = [row for rows in sentences for row in rows]
    columns = [
        Column(n + 1, [[row[n] for row in rows] for rows in sentences]) for n in range(usual)
    ]
    if word is None:
        word = word_column(columns, label)
    possible = [] if label else label_columns(columns, word)
    if label is None:
        # What a file is made for stands last: chunks in CoNLL-2000, names in CoNLL-2003.
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
        comments = [line for line, cells in _marked(texts, mark, separator) if len(cells) != usual]
        if comments and "comment" not in reader:
            reader["comment"] = mark
            reasons.append(
                f"{len(comments):,} lines that begin with {mark} and have not {usual} columns are "
                f"comments, such as {comments[0][:60]!r}."
            )
        alone = sum(
            len(cells) == usual and cells[0] == mark for _, cells in _marked(texts, mark, separator)
        )
        # As a word, a mark such as # is rarer than in every second sentence.
        if alone > len(sentences) / 2:
            reasons.append(
                f"{alone:,} lines have {mark} for a word and {usual} columns, and are read. If "
                f"they are comments, remove them: `grep -v '^{mark}[[:blank:]]'`."
            )
    if word <= usual and any(not row[word - 1].strip() for row in rows):
        reader["blank_word"] = "sentence_break"
        reasons.append("Some lines have a blank word; each is taken as the end of a sentence.")
    return Guess(reader, reasons)


def _marked(lines: Sequence[str], mark: str, separator: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the lines that begin with a mark, with their cells."""
    return ((line, split_columns(line, separator)) for line in lines if line.startswith(mark))


def refuse_mixed_columns(by_file: Mapping[Path, Sequence[str]], separator: str) -> None:
    """Raise an error if files have different numbers of columns: one reader is for all."""
    usual = {
        file: usual_columns(
            split_columns(line, separator) for line in _plain([x for x in lines if x.strip(" \t")])
        )
        for file, lines in by_file.items()
    }
    if len(set(usual.values())) > 1:
        sizes = ", ".join(f"{file.name} {columns}" for file, columns in usual.items())
        raise UserError(
            f"the files have different numbers of columns: {sizes}. All of them are read alike; if "
            "words and labels stand in the same columns all the same, type `--word N --label N`."
        )


def usual_separator(lines: Sequence[str]) -> str:
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
