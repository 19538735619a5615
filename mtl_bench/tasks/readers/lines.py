"""The numbered lines of a file or a pipe, one after another, with errors that name the place."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, NoReturn

from mtl_bench.errors import UserError

LONGEST = 10_000_000
"""Characters of a line beyond which a file is no text in lines."""

MANY = 0.3
"""Share of letters above which bytes beyond ASCII are no accents of a Latin script."""

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
MAGIC = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\xfd7zXZ": "xz", b"BZh": "bzip2"}

# What `surrogateescape` makes of bytes that are not UTF-8.
NOT_UTF8 = re.compile("[\udc80-\udcff]")


def numbered_lines(
    stream: IO[bytes], name: str, newline: str | None, sample: bytes = b""
) -> Iterator[tuple[int, str]]:
    r"""Yield `(number, line)`, numbers from 1; byte order marks at the start of lines go.

    Args:
        stream: UTF-8; it is not closed.
        name: of the stream, for errors.
        newline: what ends a line: `"\n"` (or `"\r\n"`), `"\r"`, or None for any of them.
        sample: of the stream, to guess its encoding from if it is not UTF-8.

    Raises:
        UserError: it is not text in lines: the line, and what to do.
    """
    # Bad bytes are let through, to be answered with the number of their line.
    text = io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline=newline)
    end = newline or "\n"
    number = 0
    try:
        while line := text.readline(LONGEST + 1):
            number += 1
            content = line.removesuffix(end)
            if len(content) > LONGEST:
                fail_at(name, number, content, f"has more than {LONGEST:,} characters.")
            if number == 1:
                _refuse_binary(name, content.encode("utf-8", "surrogateescape"))
            if not content.isascii() and (bad := NOT_UTF8.search(content)):
                position = len(content[: bad.start()].encode()) + 1
                _fail_encoding(name, number, content, position, sample)
            if content.count("\0") > len(content) / 5:
                fail_at(
                    name,
                    number,
                    content,
                    "every other byte is 0, as in UTF-16. Convert it to UTF-8, for example with "
                    "`iconv -f utf-16le -t utf-8`.",
                )
            content = content.removesuffix("\r").removeprefix(BOM)
            if content or line.endswith(end):  # a file of a byte order mark alone is empty
                yield number, content
    finally:
        with suppress(ValueError):  # it is closed already
            text.detach()  # else the stream would be closed with its wrapper


def _refuse_binary(name: str, first: bytes) -> None:
    """Refuse what begins like a compressed file or an archive."""
    for magic, kind in MAGIC.items():
        if first.startswith(magic):
            raise UserError(
                f"{name}: is compressed ({kind}). Files named .gz, .bz2 and .xz are read as they "
                "are; of a .zip a split's yaml names the member: `part: train.txt`; unpack others "
                "first, such as with `zcat`."
            )
    if first[257:262] == b"ustar":
        raise UserError(f"{name}: is a tar archive. Unpack it, and name the files in it.")


def _fail_encoding(name: str, number: int, line: str, position: int, sample: bytes) -> NoReturn:
    """Raise the error of a line whose byte `position`, counted from 1, is not UTF-8."""
    content = line.encode("utf-8", "surrogateescape")
    encoding = likely_encoding(sample + content)
    fail_at(
        name,
        number,
        content.decode("utf-8", "backslashreplace"),
        f"byte {position} is not UTF-8. Convert the file to UTF-8"
        + (", for example" if encoding else ", once you know what it is now,")
        + f" with `iconv -f {encoding or '<its encoding>'} -t utf-8`.",
    )


def fail_at(name: str, number: int, line: str, problem: str) -> NoReturn:
    """Raise the error that shows a line of a file and what is wrong with it."""
    text = line if len(line) <= 200 else line[:200] + " ..."
    raise UserError(f"{name}, line {number}: {problem}\n    {text!r}")


def likely_encoding(content: bytes) -> str | None:
    r"""Return the most likely encoding of bytes that are not UTF-8, as `iconv` calls it.

    Bytes 80 to 9F are control characters in latin1, and letters and quotes in windows-1252. Text
    with many bytes above 7F is of another script, in an encoding that cannot be told: None.

    >>> likely_encoding(b"caf\xe9"), likely_encoding(b"\x93A caf\xe9, please\x94")
    ('latin1', 'windows-1252')
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    high = sum(byte > 0x7F for byte in content)
    letters = high + sum(chr(byte).isalpha() for byte in content if byte <= 0x7F)
    if high > MANY * letters:
        return None
    return "windows-1252" if any(0x80 <= byte <= 0x9F for byte in content) else "latin1"
