"""The tags file of STREUSLE 2.1: multiword expressions and supersenses of web reviews.

Nine columns with tabs; the fifth joins a position in the expression and a class, such as
`B-GROUP` (first word of one) or `o-ARTIFACT` (inside the gap of one, not part of it).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.columns import ColumnReader

# Lower case marks words inside the gap of another expression; macron and tilde are strong and
# weak links.
STRONG_OR_WEAK_INSIDE = ("Ī", "Ĩ", "ī", "ĩ")


class StreusleReader:
    """Reads words and one of two labels: the whole tag, or the position outside of gaps."""

    def __init__(self, label: str) -> None:
        """Choose `tag` (position and class) or `position` (b, i, o)."""
        if label not in ("tag", "position"):
            raise UserError(f"label: {label!r} is neither 'tag' nor 'position'.")
        self.convert = whole_tag if label == "tag" else position
        self.columns = ColumnReader(word=2, label=5)

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of the file."""
        for each in self.columns(file, part):
            if isinstance(each, Note):
                yield each
            else:
                yield Example(each.words, tuple(self.convert(tag) for tag in each.target))


def whole_tag(tag: str) -> str:
    """Return position and class, with one letter for the four ways of being inside.

    >>> whole_tag("Ĩ-LOCATION")
    'i-location'
    """
    place, dash, sense = tag.partition("-")
    return ("i" if place in STRONG_OR_WEAK_INSIDE else place.lower()) + dash + sense.lower()


def position(tag: str) -> str:
    """Return b, i or o; all that lies inside a gap is o.

    >>> [position(tag) for tag in ("B-`p", "Ī", "ĩ-`p", "b", "O-ACT")]
    ['b', 'i', 'o', 'o', 'o']
    """
    return {"B": "b", "Ī": "i", "Ĩ": "i"}.get(tag.partition("-")[0], "o")
