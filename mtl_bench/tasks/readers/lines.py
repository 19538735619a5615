"""Lines of text files and of members of zip archives, with errors that name the line."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from mtl_bench.errors import UserError

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


class Lines:
    """The lines of a UTF-8 file; CRLF and a byte order mark are taken off.

    Iterating yields `(number, line)`, numbers from 1.
    """

    def __init__(self, file: Path, member: str | None = None) -> None:
        """Name the file, or the member of the zip archive `file`."""
        self.file = file
        self.member = member
        self.name = f"{file}!{member}" if member else str(file)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield the numbered lines."""
        number = 0
        # Split at \n only: other separators of str.splitlines occur inside words.
        for number, raw in enumerate(self._bytes().split(b"\n"), start=1):
            try:
                line = raw.decode("utf-8").removesuffix("\r")
            except UnicodeDecodeError as error:
                self.fail(
                    number,
                    raw.decode("utf-8", "backslashreplace"),
                    f"byte {error.start + 1} is not UTF-8. Convert the file to UTF-8, for example "
                    "with `iconv -f latin1 -t utf-8`.",
                )
            yield number, line.removeprefix(BOM) if number == 1 else line

    def _bytes(self) -> bytes:
        try:
            if self.member is None:
                content = self.file.read_bytes()
            else:
                with zipfile.ZipFile(self.file) as archive:
                    content = archive.read(self.member)
        except FileNotFoundError:
            raise UserError(f"{self.file}: there is no such file.") from None
        except OSError as error:
            raise UserError(f"{self.file}: cannot be read: {error.strerror}.") from None
        except (zipfile.BadZipFile, KeyError):
            raise UserError(
                f"{self.file}: is not a zip archive with a member '{self.member}'."
            ) from None
        if not content.strip():
            raise UserError(f"{self.name}: the file is empty. Expected one word and label a line.")
        return content

    def fail(self, number: int, line: str, problem: str) -> NoReturn:
        """Raise the error that shows a line and what is wrong with it."""
        shown = line if len(line) <= 200 else line[:200] + " ..."
        raise UserError(f"{self.name}, line {number}: {problem}\n    {shown!r}")
