"""Where the package writes files: whole or not at all, a folder for caches, checksums."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path

import platformdirs

TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")
_UMASK = os.umask(0)
os.umask(_UMASK)


def write_atomically(path: Path, content: str | bytes | memoryview) -> None:
    """Write a file so that it is there whole or not at all: temporary file, fsync, rename.

    Args:
        path: of the file; its folder exists.
        content: text is written as UTF-8.

    Raises:
        OSError: it names the file, and says why (no space, no rights).
    """
    content = content.encode() if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
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
    for file in folder.iterdir():
        if TEMPORARY.fullmatch(file.name):
            file.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Return the folder of downloads and caches (`MTL_BENCH_CACHE`, else the system's)."""
    if chosen := os.environ.get("MTL_BENCH_CACHE"):
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_cache_path("mtl_bench")


def sha256(file: Path) -> str:
    """Return the sha256 of a file; remembered in the cache by path, size and time of change."""
    status = file.stat()
    state = [status.st_size, status.st_mtime_ns]
    note = _note_of(file)
    try:
        remembered = json.loads(note.read_text())
        if remembered["state"] == state:
            return str(remembered["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not remembered yet, or by a process that was killed while writing
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"file": str(file), "state": state, "sha256": digest}))
    except OSError:
        pass  # a cache that cannot be written costs time, nothing else
    return digest


def _note_of(file: Path) -> Path:
    name = hashlib.sha256(os.fsencode(file.absolute())).hexdigest()[:24]
    return cache_folder() / "checksums" / f"{name}.json"
