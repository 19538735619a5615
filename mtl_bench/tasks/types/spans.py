"""Span schemes: how the labels of single words mark spans of several words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

SCHEMES = {"io": "I", "iob1": "BI", "bio": "BI", "bioes": "BIES", "bilou": "BILU", "bmes": "BMES"}
"""The letters of each scheme, beside O for words outside of spans."""

CANONICAL = {"M": "I", "L": "E", "U": "S"}
WAYS = [(separator, suffix) for suffix in (False, True) for separator in "-_"]
FITS = 0.8
"""Share of the words with a label other than O that must follow a scheme; the others are slips."""


@dataclass(frozen=True)
class SpanScheme:
    """A scheme and the way that a corpus writes it.

    Attributes:
        name: one of SCHEMES.
        separator: between letter and type, `-` or `_`.
        suffix: whether the letter stands behind the type (`PER-B`).
        plain: whether labels are types without a letter (`PER`), as some files write IO.
        outside: the label of words outside of spans, if it is not O.
    """

    name: str
    separator: str = "-"
    suffix: bool = False
    plain: bool = False
    outside: str | None = None

    def is_outside(self, label: str) -> bool:
        """Return whether a label is that of words outside of spans."""
        return label.upper() == "O" or label == self.outside

    def parse(self, label: str) -> tuple[str, str] | None:
        """Return letter (B, I, E, S, or O: outside of spans) and type; None for other labels.

        >>> SpanScheme("bilou").parse("L-PER"), SpanScheme("bio", "_", suffix=True).parse("PER_B")
        (('E', 'PER'), ('B', 'PER'))
        """
        if self.is_outside(label):
            return "O", ""
        if self.plain:
            return "I", label
        if len(label) == 1:
            letter, kind = label, ""
        elif self.suffix:
            kind, _, letter = label.rpartition(self.separator)
        else:
            letter, _, kind = label.partition(self.separator)
        letter = letter.upper()
        if letter not in tuple(SCHEMES[self.name]) or (len(label) > 1 and not kind):
            return None
        return CANONICAL.get(letter, letter), kind

    def allows(self, before: str | None, label: str | None) -> bool:
        """Return whether a label may follow another; None is the border of a sentence.

        >>> SpanScheme("bio").allows("O", "I-PER"), SpanScheme("io").allows("O", "I-PER")
        (False, True)
        """
        left, kind_before = self._part(before)
        right, kind = self._part(label)
        letters = SCHEMES[self.name]
        goes_on = left in "BI" and kind == kind_before
        if letters == "I":
            return True
        if self.name == "iob1":  # B only where it parts two spans of a type
            return right != "B" or goes_on
        if letters == "BI":
            return right != "I" or goes_on
        return (right in "IE") == (left in "BI") and (right not in "IE" or goes_on)

    def _part(self, label: str | None) -> tuple[str, str]:
        """Return letter and type, those of words outside of spans for any other label."""
        return (None if label is None else self.parse(label)) or ("O", "")

    def stray(self, counts: Counter[str]) -> Counter[str]:
        """Return the labels that do not follow the scheme, with their counts."""
        return Counter({x: n for x, n in counts.items() if self.parse(x) is None})

    def fits(self, counts: Counter[str]) -> bool:
        """Return whether nearly all words with a label other than O follow the scheme."""
        inside = sum(n for label, n in counts.items() if not self.is_outside(label))
        return inside > 0 and self.stray(counts).total() <= (1 - FITS) * inside

    def describe(self) -> str:
        """Return name and an example of a label, such as `BIO (B-x)`."""
        letter = SCHEMES[self.name][0]
        example = f"x{self.separator}{letter}" if self.suffix else f"{letter}{self.separator}x"
        return f"{self.name.upper()} ({'x' if self.plain else example})"


def named_scheme(name: str, labels: Iterable[str], outside: str | None) -> SpanScheme:
    """Return a scheme in the way that most labels of a task are written.

    Args:
        name: one of SCHEMES.
        labels: of the task, those of all splits.
        outside: label of words outside of spans.
    """
    counts = Counter(set(labels))
    ways = [SpanScheme(name, *way, outside=outside) for way in WAYS]
    best = min(ways, key=lambda scheme: len(scheme.stray(counts)))
    if name == "io" and not best.fits(counts):
        return SpanScheme(name, plain=True, outside=outside)
    return best


def recognise(sentences: Sequence[Sequence[str]]) -> SpanScheme | None:
    """Return the scheme that the labels of some sentences follow, or None.

    IOB1 in which no two spans of a type touch has no B: it is called IO, and scores the same. Where
    no label is O, the most frequent one that the scheme does not explain is that of other words.

    >>> recognise([("B-PER", "L-PER", "O", "U-LOC")])
    SpanScheme(name='bilou', separator='-', suffix=False, plain=False, outside=None)
    """
    counts = Counter(label for labels in sentences for label in labels)
    # IOB1 has the letters of BIO; only neighbours tell them apart: see `_begins_with_i`.
    possible = [SpanScheme(name, *way) for name in SCHEMES if name != "iob1" for way in WAYS]
    # Of equals, min takes the first: SCHEMES has BIO before BIOES, which explains as much.
    best = min(possible, key=lambda scheme: scheme.stray(counts).total())
    stray = best.stray(counts)
    if stray and not any(label.upper() == "O" for label in counts):
        best = replace(best, outside=stray.most_common(1)[0][0])
    parts = [part for label in counts if (part := best.parse(label)) and part[0] != "O"]
    is_marked = any(kind for _, kind in parts) or any(letter == "B" for letter, _ in parts)
    if not is_marked or not best.fits(counts):
        return None
    return replace(best, name="iob1") if _begins_with_i(best, sentences) else best


def _begins_with_i(scheme: SpanScheme, sentences: Sequence[Sequence[str]]) -> bool:
    """Return whether spans begin with I, and B only parts two spans of a type that touch: IOB1."""
    if scheme.name != "bio":
        return False
    # Each different label is parsed once: a corpus repeats its few some 10,000 times.
    different = {label for labels in sentences for label in labels}
    parts = {label: scheme.parse(label) or ("O", "") for label in different}
    begins: Counter[str] = Counter()
    for labels in sentences:
        before = ("O", "")
        for label in labels:
            now = parts[label]
            touches = before[0] != "O" and before[1] == now[1]
            if now[0] != "O" and not touches:
                begins[now[0]] += 1
            before = now
    return begins["I"] > begins["B"]
