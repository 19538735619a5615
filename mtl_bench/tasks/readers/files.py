"""Text files, members of zip archives and folders of documents, with errors that name the place."""

from __future__ import annotations

import bz2
import gzip
import lzma
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from mtl_bench.errors import UserError

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}

MANY = 0.3
"""Share of letters above which bytes beyond ASCII are no accents of a Latin script."""

MAGIC = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\xfd7zXZ": "xz", b"BZh": "bzip2"}


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
        content = self._bytes()
        # Split at \n only: other separators of str.splitlines occur inside words. Files of old
        # Macs have \r alone.
        newline = b"\n" if b"\n" in content else b"\r"
        for number, raw in enumerate(content.split(newline), start=1):
            try:
                line = raw.decode("utf-8").removesuffix("\r")
            except UnicodeDecodeError as error:
                text = raw.decode("utf-8", "backslashreplace")
                self.fail(number, text, not_utf8(error.start + 1, content))
            yield number, line.removeprefix(BOM)

    def _bytes(self) -> bytes:
        content = read_bytes(self.file, self.member)
        for magic, kind in MAGIC.items():
            if content.startswith(magic):
                raise UserError(
                    f"{self.name}: is compressed ({kind}). Files named .gz, .bz2 and .xz are read "
                    "as they are; of a .zip a split's yaml names the member: `part: train.txt`."
                )
        if content[257:262] == b"ustar":
            raise UserError(f"{self.name}: is a tar archive. Unpack it, and name the files in it.")
        if content.count(0) > len(content) / 5:
            raise UserError(
                f"{self.name}: every other byte is 0, as in UTF-16. Convert the file to UTF-8, for "
                "example with `iconv -f utf-16le -t utf-8`."
            )
        if not content.strip():
            raise UserError(f"{self.name}: the file is empty.")
        return content

    def fail(self, number: int, line: str, problem: str) -> NoReturn:
        """Raise the error that shows a line and what is wrong with it."""
        fail_at(self.name, number, line, problem)


def fail_at(name: str, number: int, line: str, problem: str) -> NoReturn:
    """Raise the error that shows a line of a file and what is wrong with it."""
    text = line if len(line) <= 200 else line[:200] + " ..."
    raise UserError(f"{name}, line {number}: {problem}\n    {text!r}")


def not_utf8(position: int, content: bytes) -> str:
    """Return what to say of a byte of a line, counted from 1, that is not UTF-8.

    Args:
        position: of the byte in its line.
        content: of the file, or a part of it, to guess its encoding from.
    """
    encoding = likely_encoding(content)
    return (
        f"byte {position} is not UTF-8. Convert the file to UTF-8"
        + (", for example" if encoding else ", once you know what it is now,")
        + f" with `iconv -f {encoding or '<its encoding>'} -t utf-8`."
    )


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


def read_bytes(file: Path, member: str | None = None) -> bytes:
    """Return the content of a file, decompressed by its suffix, or of a zip archive's member."""
    try:
        if member is not None:
            with zipfile.ZipFile(file) as archive:
                return archive.read(member)
        content = file.read_bytes()
        return DECOMPRESS.get(file.suffix, bytes)(content)
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file.") from None
    except (zipfile.BadZipFile, KeyError):
        raise UserError(f"{file}: is not a zip archive with a member '{member}'.") from None
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise UserError(f"{file}: its compression is damaged, or cut short: {error}.") from None
    except OSError as error:
        reason = error.strerror or f"its compression is damaged: {error}"  # bz2 raises OSError
        raise UserError(f"{file}: cannot be read: {reason}.") from None
    except (RuntimeError, NotImplementedError, ValueError) as error:  # encrypted, odd methods
        raise UserError(f"{file}: cannot be read: {error}.") from None


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
        return ElementTree.fromstring(read_bytes(file))
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
