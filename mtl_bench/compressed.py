"""Files to read, plain or compressed, with a limit on what a compressed one expands to."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from mtl_bench.errors import UserError

BY_SUFFIX: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
BUFFER = 2**20
MOST_GB = 2.0
"""What a compressed file may expand to (10^9 bytes), unless MTL_BENCH_MAX_GB says otherwise."""

DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile)


def most_bytes(gigabytes: float = MOST_GB) -> int:
    """Return how many bytes a compressed file may expand to.

    Args:
        gigabytes: where MTL_BENCH_MAX_GB is not set.

    Raises:
        UserError: the variable is no number above 0.
    """
    text = os.environ.get("MTL_BENCH_MAX_GB", "")
    try:
        size = float(text or gigabytes) * 1e9
        if not 0 < size < 1e18:
            raise ValueError
    except ValueError:
        raise UserError(
            f"MTL_BENCH_MAX_GB={text}: expected a number of gigabytes above 0, such as 8."
        ) from None
    return int(size)


def too_large(problem: str) -> UserError:
    """Return the error of a file that is larger than `most_bytes`, which says how to raise that."""
    return UserError(f"{problem} If you trust it, raise the limit: MTL_BENCH_MAX_GB=<gigabytes>.")


class LimitedBytes(io.RawIOBase):
    """The bytes of another stream, up to a limit; what goes wrong names the file."""

    def __init__(self, stream: io.BufferedIOBase, name: str, limit: int | None = None) -> None:
        """Take the stream, what errors call it, and how many bytes it may have."""
        self._stream = stream
        self._name = name
        self._limit = limit
        self._size = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return how many bytes were read, 0 at the end.

        Raises:
            UserError: the stream is damaged, or longer than its limit.
        """
        try:
            size = self._stream.readinto(buffer)
        except DAMAGE as error:
            raise UserError(
                f"{self._name}: its compression is damaged, or cut short: {error}."
            ) from None
        except OSError as error:
            reason = error.strerror or f"its compression is damaged: {error}"  # bz2's OSError
            raise UserError(f"{self._name}: cannot be read: {reason}.") from None
        self._size += size
        if self._limit and self._size > self._limit:
            raise too_large(f"{self._name}: expands to more than {self._limit / 1e9:g} GB.")
        return size


@contextmanager
def open_file(
    file: Path,
    member: str | None = None,
    *,
    opener: Callable[[Path], Any] | None = None,
    most_gb: float | None = MOST_GB,
) -> Iterator[io.BufferedReader]:
    """Open a file to read, decompressed by its suffix, or a member of a zip archive.

    Args:
        file: to be opened.
        member: of the archive `file`.
        opener: what decompresses it, where the suffix does not tell.
        most_gb: what it may expand to, unless MTL_BENCH_MAX_GB says otherwise; None for what is
            not kept in memory.

    Raises:
        UserError: it cannot be opened; or, while it is read: it is damaged, or expands to more
            than is allowed. A plain file has no limit.
    """
    opener = opener or BY_SUFFIX.get(file.suffix)
    compressed = opener or member is not None
    limit = most_bytes(most_gb) if compressed and most_gb else None
    name = f"{file}!{member}" if member else str(file)
    with ExitStack() as stack:
        try:
            if member is not None:
                archive = stack.enter_context(zipfile.ZipFile(file))
                stream: Any = stack.enter_context(archive.open(member))
            else:
                stream = stack.enter_context((opener or _open_plain)(file))
        except FileNotFoundError:
            raise UserError(f"{file}: there is no such file.") from None
        except IsADirectoryError:
            raise UserError(f"{file}: is a folder; name a file of it.") from None
        except (zipfile.BadZipFile, KeyError):
            raise UserError(f"{file}: is not a zip archive with a member '{member}'.") from None
        except OSError as error:
            raise UserError(f"{file}: cannot be read: {error.strerror or error}.") from None
        except (RuntimeError, ValueError) as error:  # encrypted, odd methods
            raise UserError(f"{file}: cannot be read: {error}.") from None
        raw = LimitedBytes(stream, name, limit)
        yield stack.enter_context(io.BufferedReader(raw, BUFFER))


def _open_plain(file: Path) -> IO[bytes]:
    return file.open("rb")
