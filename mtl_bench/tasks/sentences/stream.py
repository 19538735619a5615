"""The lines of a file or a pipe, one after another, with errors that name the place.

`readers.files.Lines` reads whole files; here memory does not grow with the input.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NoReturn

from mtl_bench.errors import UserError
from mtl_bench.tasks.readers.files import BOM, MAGIC, fail_at, not_utf8

STDIN = "standard input"

LONGEST = 10_000_000
"""Characters of a line beyond which a file is no text in lines."""

MOST_WORDS = 100_000
"""Words of a sentence beyond which its states would fill the memory."""

OPEN: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

# What `surrogateescape` makes of bytes that are not UTF-8.
NOT_UTF8 = re.compile("[\udc80-\udcff]")


class StreamLines:
    """Yields `(number, line)`, numbers from 1; CR, LF or both end a line, byte order marks go."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        """Take the bytes, and what errors call them."""
        self.name = name
        self._stream = stream

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield the numbered lines."""
        # Bad bytes are let through, to be answered with the number of their line.
        text = io.TextIOWrapper(self._stream, "utf-8", "surrogateescape", newline=None)
        number = 0
        try:
            while line := text.readline(LONGEST + 1):
                number += 1
                content = line.removesuffix("\n")
                if len(content) > LONGEST:
                    self.fail(number, line[:200], f"has more than {LONGEST:,} characters.")
                content = self._checked(number, content)
                if content or line.endswith("\n"):  # a file of a byte order mark alone is empty
                    yield number, content
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise UserError(
                f"{self.name}: its compression is damaged, or cut short: {error}."
            ) from None
        except OSError as error:
            reason = error.strerror or f"its compression is damaged: {error}"  # bz2's OSError
            raise UserError(f"{self.name}: cannot be read: {reason}.") from None
        finally:
            with suppress(ValueError):  # it is closed already
                text.detach()  # else the stream would be closed with its wrapper

    def _checked(self, number: int, line: str) -> str:
        """Return a line of text without its byte order mark."""
        if bad := NOT_UTF8.search(line):
            content = line.encode("utf-8", "surrogateescape")
            position = len(line[: bad.start()].encode()) + 1
            self._refuse_compressed(number, content)
            self.fail(
                number, content.decode("utf-8", "backslashreplace"), not_utf8(position, content)
            )
        if number == 1:
            self._refuse_compressed(number, line.encode())
        if line.count("\0") > len(line) / 5:
            self.fail(
                number,
                line,
                "every other byte is 0, as in UTF-16. Convert it to UTF-8, for example with "
                "`iconv -f utf-16le -t utf-8`.",
            )
        return line.removeprefix(BOM)

    def _refuse_compressed(self, number: int, content: bytes) -> None:
        for magic, kind in MAGIC.items() if number == 1 else ():
            if content.startswith(magic):
                raise UserError(
                    f"{self.name}: is compressed ({kind}). Files named .gz, .bz2 and .xz are read "
                    "as they are; unpack others first, such as with `zcat`."
                )

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
    try:
        stream: IO[bytes] = OPEN[file.suffix](file) if file.suffix in OPEN else file.open("rb")
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file.") from None
    except IsADirectoryError:
        raise UserError(f"{file}: is a folder; name a file of it.") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}.") from None
    with stream:
        yield StreamLines(stream, str(file))
