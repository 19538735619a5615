"""Brat standoff annotation: a text file and an `.ann` file with character spans beside it.

Stenetorp et al. (2012), *brat: a web-based tool for NLP-assisted text annotation*. Lines that begin
with T are spans: `T1<tab>Process 0 16<tab>text`, discontinuous ones with `;` between their parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines, documents, overlaps
from mtl_bench.tasks.readers.texts import checked_names

TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+(?:-\w+)*|[^\w\s]")
SENTENCE_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z0-9])")
ABBREVIATION = re.compile(
    r"(?:\b(?:Fig|Figs|Eq|Eqs|Ref|Refs|Sec|Sect|Tab|No|Nos|Vol|vs|al|cf|approx|resp|Dr|Mr|Mrs"
    r"|Prof|St)|\be\.g|\bi\.e)\.$"
)


class StandoffReader:
    """Reads words and one label for those that overlap any span, `o` for the others.

    Or, in place of labels, which document a sentence is of: how the file's name begins.
    """

    def __init__(self, label: str = "", documents: Sequence[str] = ()) -> None:
        """Describe the target.

        Args:
            label: of marked words.
            documents: beginnings of names, each a class of sentences; the names of all others are
                the class `other`. With none, words are labelled.
        """
        self.documents = checked_names(documents or None) or []
        if bool(label) == bool(self.documents):
            raise UserError("its reader takes either `label` or `documents`.")
        self.label = label

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the sentences of a folder's documents, sorted by path; a part is a subfolder."""
        for document in documents(file / part if file and part else file, "*.txt"):
            yield from self._sentences(document)

    def _sentences(self, document: Path) -> Iterator[Example | Note]:
        # One text again: offsets count from the start of the document, line breaks included, which
        # are two characters in a file of Windows.
        line_break = "\r\n" if b"\r\n" in document.read_bytes() else "\n"
        text = line_break.join(line for _, line in Lines(document))
        annotation = document.with_suffix(".ann")
        if not annotation.exists() and not self.documents:
            yield Note("documents without an .ann file, read as unmarked", document.name)
        spans = list(_spans(annotation))
        named = (each for each in self.documents if document.name.startswith(each))
        class_ = next(named, "other")
        for start, end in sentences(text):
            tokens = list(TOKEN.finditer(text, start, end))
            if tokens and self.documents:
                yield Example(tuple(token.group() for token in tokens), class_)
            elif tokens:
                yield Example(
                    tuple(token.group() for token in tokens),
                    tuple(
                        self.label if overlaps(token.start(), token.end(), spans) else "o"
                        for token in tokens
                    ),
                )


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence of a text.

    A sentence ends at `.?!` before a blank and a capital or digit, unless an abbreviation ends
    there.

    >>> [text[a:b] for text in ["See Fig. 2. It is (e.g. A) new."] for a, b in sentences(text)]
    ['See Fig. 2.', 'It is (e.g. A) new.']
    """
    start = 0
    for gap in SENTENCE_END.finditer(text):
        if not ABBREVIATION.search(text, start, gap.start()):
            yield start, gap.start()
            start = gap.end()
    yield start, len(text)


def _spans(file: Path) -> Iterator[tuple[int, int]]:
    """Yield the character spans of an `.ann` file."""
    if not file.exists() or not file.stat().st_size:
        return  # nothing is marked
    lines = Lines(file)
    for number, line in lines:
        if not line.startswith("T"):
            continue
        try:
            _, description, *_ = line.split("\t")
            for part in description.split(" ", 1)[1].split(";"):
                first, last = part.split()
                yield int(first), int(last)
        except (ValueError, IndexError):
            lines.fail(number, line, "expected `T1<tab>Type start end<tab>text`.")
