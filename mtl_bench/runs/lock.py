"""One process at a time in a run's folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtl_bench.errors import UserError

LOCK = ".lock"


class RunningElsewhere(UserError):
    """Another process works on the run."""


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which the kernel frees when the process ends, however it ends.

    Raises:
        RunningElsewhere: another process holds it.
    """
    path = folder / LOCK
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise RunningElsewhere(
                f"{folder}: another process is working on this run. Wait for it, or choose "
                "another `sweep_name`."
            ) from None
        # The holder before us may have removed the file between our two calls.
        if path.exists() and os.stat(path).st_ino == os.fstat(descriptor).st_ino:
            break
        os.close(descriptor)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)
