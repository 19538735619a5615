"""Where the package writes files: whole or not at all, a folder for caches, checksums."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from mtl_bench.errors import UserError

DIGEST_SIZE = hashlib.sha256().digest_size
# Names as `tempfile` makes them: eight of a-z, 0-9 and _.
TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")
# It can be read by setting it only; at import there is no other thread that would notice.
_UMASK = os.umask(0)
os.umask(_UMASK)


def write_atomically(
    path: Path, content: str | bytes | memoryview, survives_power_cut: bool = True
) -> None:
    """Write a file so that others see it whole or not at all: temporary file, fsync, rename.

    Args:
        path: of the file; its folder exists.
        content: text is written as UTF-8.
        survives_power_cut: else there is no fsync, which takes milliseconds; a power cut may then
            leave the new name and none of the content.

    Raises:
        OSError: it names the file, and says why (no space, no rights).
    """
    content = content.encode() if isinstance(content, str) else content
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            if survives_power_cut:
                os.fsync(stream.fileno())
        os.chmod(name, 0o666 & ~_UMASK)  # mkstemp's files are their owner's alone
        os.replace(name, path)
    except BaseException as error:
        os.unlink(name)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed while writing left in a folder that is ours now."""
    for path in folder.iterdir():
        if TEMPORARY.fullmatch(path.name):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Return the folder of downloads and caches (`MTL_BENCH_CACHE`, else the system's)."""
    if folder := os.environ.get("MTL_BENCH_CACHE"):
        return Path(folder).expanduser().absolute()
    return platformdirs.user_cache_path("mtl_bench")


def cached_path(kind: str, name: str, *inputs: object) -> Path:
    """Return where the cache keeps what follows from some inputs.

    Args:
        kind: folder of the cache.
        name: before the checksum of the inputs, for people who look there.
        inputs: all that decides the content, a version of the code that makes it included; they
            are told apart by their `repr`.
    """
    digest = hashlib.sha256(repr(inputs).encode()).hexdigest()[:24]
    return cache_folder() / kind / (f"{name}-{digest}" if name else digest)


def read_cached(path: Path) -> bytes | None:
    """Return what `write_cached` wrote; None if it is not there, or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    whole = hashlib.sha256(content[DIGEST_SIZE:]).digest() == content[:DIGEST_SIZE]
    return content[DIGEST_SIZE:] if whole else None


def write_cached(path: Path, content: bytes) -> None:
    """Write content behind its checksum; a cache that cannot be written costs time only."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = hashlib.sha256(content).digest() + content  # `read_cached` sees what is not
        write_atomically(path, whole, survives_power_cut=False)


@contextmanager
def filled_at_once(folder: Path) -> Iterator[Path]:
    """Give a folder to fill that takes its name only when it is complete.

    Raises:
        UserError: it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise UserError(
            f"{folder.parent}: cannot be made ({error.strerror}). Set MTL_BENCH_CACHE to a folder "
            "that can be written."
        ) from None
    try:
        yield temporary
        # Libraries make files that are their owner's alone, as mkdtemp does.
        for path in (temporary, *temporary.rglob("*")):
            path.chmod((0o777 if path.is_dir() else 0o666) & ~_UMASK)
        os.replace(temporary, folder)
    except OSError:
        if not folder.exists():  # else another process was first: its folder is as good
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sha256(file: Path) -> str:
    """Return the sha256 of a file; kept in the cache by path, size and time of change."""
    status = file.stat()
    state = (str(file.absolute()), status.st_size, status.st_mtime_ns)
    cache_file = cached_path("checksums", "", state)
    if digest := read_cached(cache_file):
        return digest.decode()
    with file.open("rb") as stream:
        text = hashlib.file_digest(stream, "sha256").hexdigest()
    write_cached(cache_file, text.encode())
    return text
