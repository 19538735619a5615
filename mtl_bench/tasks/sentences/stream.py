"""The lines of sentences to tag, of a file or a pipe; memory does not grow with the input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from mtl_bench.compressed import open_file
from mtl_bench.tasks.readers.lines import fail_at, numbered_lines

STDIN = "standard input"

MOST_WORDS = 100_000
"""Words of a sentence beyond which its states would fill the memory."""


class StreamLines:
    """Yields `(number, line)`, numbers from 1; CR, LF or both end a line, byte order marks go."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        """Take the bytes, and what errors call them."""
        self.name = name
        self._stream = stream

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield the numbered lines."""
        yield from numbered_lines(self._stream, self.name, newline=None)

    def fail(self, number: int, line: str, problem: str) -> NoReturn:
        """Raise the error that shows a line and what is wrong with it."""
        fail_at(self.name, number, line, problem)

    def check_words(self, number: int, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words of a sentence that ends at a line.

        Raises:
            UserError: they are too many.
        """
        if len(words) > MOST_WORDS:
            self.fail(
                number,
                " ".join(words[:20]),
                f"the sentence has {len(words):,} words; at most {MOST_WORDS:,} are tagged. Is "
                "this one sentence? `--input` names the format.",
            )
        return words


@contextmanager
def open_lines(file: Path | None) -> Iterator[StreamLines]:
    """Give the lines of a file, by its suffix decompressed, or of the standard input.

    Raises:
        UserError: it cannot be opened.
    """
    if file is None:
        yield StreamLines(sys.stdin.buffer, STDIN)
        return
    with open_file(file, most_gb=None) as stream:
        yield StreamLines(stream, str(file))
