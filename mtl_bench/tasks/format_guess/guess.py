"""What format a file of labelled words or texts has: guessed from its content, and explained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.cache import READERS
from mtl_bench.tasks.format_guess.column import SHOWN
from mtl_bench.tasks.format_guess.columns import (
    Guess,
    guess_columns,
    refuse_mixed_columns,
    usual_separator,
)
from mtl_bench.tasks.format_guess.objects import (
    guess_json_pairs,
    guess_span_lines,
    guess_span_list,
)
from mtl_bench.tasks.format_guess.texts import guess_json_texts, guess_text_columns
from mtl_bench.tasks.readers.conllu import FIELDS
from mtl_bench.tasks.readers.files import Lines

MANY = 1000
"""Lines that are looked at for a span."""

LABEL_KEYS = ("labels", "tags", "ner_tags", "pos_tags")
"""What JSON Lines usually call the labels."""


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
    # A file ends a sentence.
    lines = [line for each in by_file.values() for line in (*each, "")]
    content = [line for line in lines if line.strip()]
    if not content:
        raise UserError(f"{file}: has blank lines only.")
    if content[0].lstrip().startswith("[") and (
        spans := guess_span_list(by_file[file], word, label)
    ):
        return spans
    if content[0].lstrip().startswith("[") and not content[0].rstrip().endswith("]"):
        raise UserError(
            f"{file}: looks like a JSON list. JSON Lines have an object a line, such as "
            '{"tokens": ["The", "cat"], "labels": ["DT", "NN"]}.'
        )
    # A separator that the user names says that the file has columns, whatever it looks like.
    if separator is None and any(line.lstrip().startswith("{") for line in content[:SHOWN]):
        return _json_lines(file, content, word, label)
    rows = [line.split("\t") for line in content if not line.startswith("#")]
    numbered_rows = sum(len(row) == len(FIELDS) and row[0][:1].isdecimal() for row in rows)
    # Nearly all will do: in a damaged file, the reader then names the line.
    if separator is None and numbered_rows > 0.9 * len(rows):
        if word is not None:
            raise UserError(f"--word {word}: the words of CoNLL-U are its second column, always.")
        return _conllu(rows, label)
    word, label = _number(word, "word"), _number(label, "label")
    texts = guess_text_columns(file, by_file[file], word, label, separator)
    if texts or separator == "comma":
        if texts:
            return texts
        raise UserError(
            f"{file}: with commas it is no table with a text and a class a line. Files of labelled "
            "words have tabs or blanks."
        )
    if label is None:
        refuse_mixed_columns(by_file, separator or usual_separator(content))
    return guess_columns(file, lines, separator or usual_separator(content), word, label)


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
    if isinstance(first, dict):
        # The first texts may have no span.
        if spans := guess_span_lines(lines[:MANY], word, label):
            return spans
        for guess_objects in (guess_json_pairs, guess_json_texts):
            if found := guess_objects(first, word, label):
                return found
    lists = [key for key, value in first.items() if isinstance(value, list)]
    if word is None:
        words = [key for key in lists if key not in LABEL_KEYS]
        word = next((k for k in ("tokens", "words", *words, *lists) if k in lists), None)
    others = [key for key in lists if key != word]
    if label is None:
        label = next((k for k in (*LABEL_KEYS, *others) if k in others), None)
    if word not in lists or label not in lists or word == label:
        raise UserError(
            f"{file}: expected two lists, of words and of labels (--word, --label). Lists found: "
            f"{', '.join(lists) or 'none'}.\n    {line[:200]!r}"
        )
    reader = {
        "_target_": f"{READERS}jsonl.JsonLinesReader",
        "words": str(word),
        "labels": str(label),
    }
    format_ = f"JSON Lines: lines are objects with the lists {', '.join(lists)}."
    reasons = [
        format_,
        f"Words in '{word}', labels in '{label}' (--word, --label name other keys).",
    ]
    if any(type(each) is int for each in first[label]):
        raise UserError(
            f"{file}: '{label}' has whole numbers, such as {first[label][:8]}, and nothing names "
            "them. In a yaml of your own, name them by the reader's option `classes`:\n"
            f"  reader: {{_target_: {READERS}jsonl.JsonLinesReader, words: {word}, labels: "
            f"{label}, classes: [O, B-PER, I-PER]}}"
        )
    return Guess(reader, reasons)


def _conllu(rows: Sequence[Sequence[str]], label: int | str | None) -> Guess:
    full = [
        name
        for name in ("upos", "xpos", "deprel", "feats")
        if any(len(row) == len(FIELDS) and row[FIELDS.index(name)] != "_" for row in rows)
    ]
    field = str(label or (full or ["upos"])[0])
    reader = {"_target_": f"{READERS}conllu.ConlluReader", "label": field}
    return Guess(
        reader,
        [
            "CoNLL-U: ten columns with tabs, the first numbers the words.",
            f"Fields with labels: {', '.join(full) or 'none'}; '{field}' is taken (--label).",
        ],
    )
