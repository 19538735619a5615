"""Text files, members of zip archives and folders of documents, with errors that name the place."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from mtl_bench.compressed import open_file
from mtl_bench.errors import UserError
from mtl_bench.tasks.readers.lines import fail_at, numbered_lines

SNIFFED = 2**20
"""Bytes at the start of a file from which its line breaks and encoding are told."""


class Lines:
    """The lines of a UTF-8 file, plain or compressed; CRLF and byte order marks are taken off.

    Iterating yields `(number, line)`, numbers from 1. Files joined by `cat` have byte order marks
    at the start of other lines than the first, too.
    """

    def __init__(self, file: Path | None, member: str | None = None) -> None:
        """Name the file, or the member of the zip archive `file`.

        Raises:
            UserError: there is none, since a task's yaml names none.
        """
        if file is None:
            raise UserError("its reader needs `file:` in each split of the task's yaml.")
        self.file = file
        self.member = member
        self.name = f"{file}!{member}" if member else str(file)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield the numbered lines."""
        with open_file(self.file, self.member) as stream:
            sample = stream.peek(SNIFFED)
            if not sample.strip():
                raise UserError(f"{self.name}: the file is empty.")
            # Not any break of str.splitlines: some occur inside words. Files of old Macs have \r
            # alone.
            newline = "\r" if b"\r" in sample and b"\n" not in sample else "\n"
            yield from numbered_lines(stream, self.name, newline, sample)

    def fail(self, number: int, line: str, problem: str) -> NoReturn:
        """Raise the error that shows a line and what is wrong with it."""
        fail_at(self.name, number, line, problem)


def documents(folder: Path | None, pattern: str) -> list[Path]:
    """Return the files of a folder and the folders below it that match, sorted by path.

    Raises:
        UserError: there is no such folder, or no such file in it.
    """
    if folder is None or not folder.is_dir():
        raise UserError(f"{folder or 'file'}: expected a folder with files {pattern}.")
    files = sorted(folder.rglob(pattern))
    if not files:
        raise UserError(f"{folder}: has no files {pattern}, neither itself nor in folders below.")
    return files


def xml_root(file: Path) -> ElementTree.Element:
    """Return the root element of an XML document."""
    try:
        with open_file(file) as stream:
            return ElementTree.parse(stream).getroot()
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # unknown encodings, too
        raise UserError(f"{file}: is not valid XML: {error}.") from None


def whole_number(file: Path, text: str | None, what: str) -> int:
    """Return a number that a document gives as text.

    Raises:
        UserError: it is missing, or no number.
    """
    try:
        return int(text or "")
    except ValueError:
        raise UserError(f"{file}: {what} is {text!r}, not a whole number.") from None


def overlaps(start: int, end: int, spans: Iterable[tuple[int, int]]) -> bool:
    """Return whether characters start to end (excluded) share one with any of the spans.

    >>> overlaps(3, 5, [(0, 3)]), overlaps(3, 5, [(0, 4)])
    (False, True)
    """
    return any(start < last and first < end for first, last in spans)
