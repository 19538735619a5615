"""Sentence compression: sentences, their compressions, and dependency labels, a line each.

Three files of a folder whose lines belong together, tokens between blanks: `test_words.txt`,
`test_labels.txt` (the compression), `test_dep.txt` (the label of the arc above each token).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines

FILES = ("test_words.txt", "test_labels.txt", "test_dep.txt")
LABELS = ("kept_heads", "deleted", "compression")
# Arcs below which a token belongs to the head word of a kept node, and is no such head itself.
DEPENDENT = {
    "det", "prep", "aux", "auxpass", "p", "ps", "possessive", "poss", "nn", "neg", "cop", "num",
    "number", "amod", "mark", "cc", "prt", "predet", "mwe",
}  # fmt: skip
ATTACHED = re.compile(r"(?<=.)(,|\.|'s|n't)$")
"""What the compressions leave attached to a word that the sentences split off."""


class CompressionReader:
    """Reads words and, by choice, labels or the compression itself.

    `kept_heads`: `k` for a kept token that heads a node of the dependency tree (not a function
    word, modifier or punctuation mark), else `o`. `deleted`: `del` for a deleted token, else `o`.
    `compression`: the words of the compression.
    """

    def __init__(self, label: str) -> None:
        """Choose one of LABELS."""
        if label not in LABELS:
            raise UserError(f"label: {label!r} is none of {', '.join(LABELS)}.")
        self.label = label

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:  # noqa: ARG002
        """Yield the sentences of the folder."""
        if file is None or not file.is_dir():
            raise UserError(f"{file or 'file'}: expected a folder with {', '.join(FILES)}.")
        texts, compressions, arcs = (Lines(file / name) for name in FILES)
        for text, compression, arc in zip_longest(texts, compressions, arcs):
            if text is None or compression is None or arc is None:
                raise UserError(f"{file}: {', '.join(FILES)} have different numbers of lines.")
            number, line = text
            words, dependencies = line.split(), arc[1].split()
            if len(words) != len(dependencies):
                arcs.fail(
                    number, arc[1], f"{len(dependencies)} arcs for {len(words)} words: {line!r}"
                )
            if words and self.label == "compression":
                yield Example(tuple(words), compression[1].split())
            elif words:
                kept, lost = aligned(words, compression[1].split())
                if lost:
                    text = "words of compressions that are not in the sentence, left out"
                    yield Note(text, f"line {number}", lost, expected=True)
                yield Example(tuple(words), self._labels(kept, dependencies))
            else:
                yield Note("sentences without words left out", f"line {number}")

    def _labels(self, kept: list[bool], dependencies: list[str]) -> tuple[str, ...]:
        if self.label == "deleted":
            return tuple("o" if keep else "del" for keep in kept)
        return tuple(
            "k" if keep and dependency not in DEPENDENT else "o"
            for keep, dependency in zip(kept, dependencies, strict=True)
        )


def aligned(words: list[str], compression: list[str]) -> tuple[list[bool], int]:
    """Return which words a compression keeps, and how many of its own are not among them.

    Its tokens are looked for one after the other.

    A token that is not found is split where punctuation or a clitic is attached to it, and left
    out if that does not help.

    >>> aligned("A man , seen by all , left .".split(), ["A", "man", "left."])
    ([True, True, False, False, False, False, False, True, True], 0)
    """
    kept = [False] * len(words)
    place = lost = 0
    queue = compression[::-1]
    while queue:
        token = queue.pop()
        try:
            position = words.index(token, place)
        except ValueError:
            head, attached, _ = (*ATTACHED.split(token, maxsplit=1), "", "")[:3]
            queue += [attached, head] if attached else []
            lost += not attached
            continue
        kept[position] = True
        place = position + 1
    return kept, lost
