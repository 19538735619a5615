"""What `mtl-bench check` says of a corpus, and how it words numbers and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One observation: `ok`, a `warning`, or an `error` to fix before training."""

    level: Level
    text: str


def counted(items: Sized, noun: str, plural: str = "") -> str:
    """Return a number with its noun, whose plural is that with an s unless it is given.

    >>> counted(["a"], "label"), counted(range(2000), "label")
    ('1 label', '2,000 labels')
    """
    return f"{len(items):,} {noun if len(items) == 1 else plural or noun + 's'}"


def most_common(counts: Counter[str]) -> str:
    """Return the most frequent of some texts, with their counts.

    >>> most_common(Counter("aab"))
    'a (2), b (1)'
    """
    listing = ", ".join(f"{text} ({n})" for text, n in counts.most_common(8))
    return listing + (", ..." if len(counts) > 8 else "")


def quoted(counts: Counter[str]) -> str:
    """Return the five most frequent words, in quotes."""
    return ", ".join(f"{word!r}" for word, _ in counts.most_common(5))


def shortened(words: Sequence[str]) -> str:
    """Return the beginning of a sentence, in quotes."""
    text = " ".join(words)
    return repr(text if len(text) <= 60 else text[:60] + "...")
