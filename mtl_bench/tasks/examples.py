"""What corpora are made of: sentences with their targets, in named splits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

SplitName = Literal["train", "dev", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "dev", "test")


class Example(NamedTuple):
    """A sentence and what is to be predicted of it.

    Attributes:
        words: as the file has them; whatever normalises them is part of a model's input.
        target: what it is, the task's type says (`tagging`: a label for each word). Plain
            values: text, numbers, lists of them; a tuple only for a text per word.
    """

    words: tuple[str, ...]
    target: Any


Splits = Mapping[SplitName, tuple[Example, ...]]
"""The examples of a corpus."""


class Note(NamedTuple):
    """What a reader yields beside examples, for all that it leaves out, cuts in two or merges.

    Attributes:
        text: what happened to a line or document, such as `comment lines left out`.
        where: the place, such as `line 12`.
        times: how often it happened there.
        expected: whether it belongs to the format, and is no sign of a mistake.
    """

    text: str
    where: str
    times: int = 1
    expected: bool = False


class Remark(NamedTuple):
    """All notes of one kind about one file.

    Attributes:
        text: file and what happened.
        total: how often.
        first: the first place.
        expected: as of a `Note`.
    """

    text: str
    total: int
    first: str
    expected: bool

    def __str__(self) -> str:
        """Return a line for people."""
        return f"{self.text}: {self.total:,}" + (f", first in {self.first}" if self.first else "")
