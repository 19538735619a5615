"""What a column of a file probably holds: words, labels, numbers, names of sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt

SHOWN = 20
"""Columns that are explained, and characters of a value that are shown."""

FEW = 0.3
"""Labels are fewer than this share of the words they label; else a column holds no labels."""

UNIQUE, ENOUGH = 0.9, 50
"""Of at least so many values, more than this share occurs once: identifiers, if any other column
could hold the words."""


class Column:
    """What is to be known of a column to tell words and labels from other things."""

    def __init__(self, number: int, sentences: Sequence[Sequence[str]]) -> None:
        """Take its number, counted from 1, and its values by sentence."""
        self.number = number
        self.counts = Counter(value for values in sentences for value in values)
        self.total = self.counts.total()
        longer = [values for values in sentences if len(values) > 1]
        with_letters = sum(n for x, n in self.counts.items() if any(c.isalpha() for c in x))
        # Numbers, offsets such as 12:15, and what a whole sentence shares, such as its name.
        self.numeric = not with_letters
        self.of_sentence = len(longer) > 1 and all(len(set(values)) == 1 for values in longer)
        once = sum(n == 1 for n in self.counts.values())
        self.unique = self.total >= ENOUGH and once > UNIQUE * self.total
        # Text has far more different words than a set of labels has labels.
        self.textual = len(self.counts) > 2 * sqrt(self.total)

    def describe(self) -> str:
        """Return a few words on its values."""
        examples = ", ".join(value[:SHOWN] for value, _ in self.counts.most_common(4))
        if self.numeric:
            return f"numbers or signs: {examples}, ..."
        note = ", nearly all of them once" if self.unique else ""
        note = ", the same in a whole sentence" if self.of_sentence else note
        count = f"{len(self.counts):,} value{'s' * (len(self.counts) != 1)}"
        return f"{count}{note}: {examples}" + ", ..." * (len(self.counts) > 4)


def word_column(columns: Sequence[Column], label: int | None) -> int:
    """Return the column with the most values that is no list of numbers or names of lines."""
    others = [column for column in columns if column.number != label]
    usual = [column for column in others if not (column.numeric or column.of_sentence)]
    text = [column for column in usual if column.textual and not column.unique]
    return max(text or usual or others, key=lambda c: (len(c.counts), -c.number)).number


def label_columns(columns: Sequence[Column], word: int) -> list[int]:
    """Return the columns with few values; without any, those that are not of the words."""
    others = [column for column in columns if column.number != word]
    few = [
        column
        for column in others
        if not (column.numeric or column.of_sentence)
        # Two labels are few even where a file is so small that FEW allows one.
        and 1 < len(column.counts) <= max(2, FEW * column.total)
    ]
    return [column.number for column in few or others]
