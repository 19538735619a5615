"""One process at a time in a run's folder, and a sign of life for those who look on.

On one host the kernel's lock tells who holds a folder, and is freed however the process ends. On
folders that hosts share, locks do not always reach the other hosts; there a heartbeat counts.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from mtl_bench.errors import UserError

LOCK = ".lock"
BEAT_SECONDS = 2.0
DEAD_SECONDS = 120.0
"""Another host's run whose heart has not beaten for so long is dead."""


class RunningElsewhere(UserError):
    """Another process works on the run."""


@dataclass
class Heartbeat:
    """What the lock file says of the process that works on a run."""

    host: str
    pid: int
    step: int = 0
    steps: int = 0


class Lock:
    """A held lock; whoever trains lets it beat."""

    def __init__(self, descriptor: int) -> None:
        """Take the open lock file."""
        self._descriptor = descriptor
        self._beaten = 0.0
        self._heart = Heartbeat(platform.node(), os.getpid())
        self.beat(0, 0)

    def beat(self, step: int, steps: int) -> None:
        """Write a sign of life, if the last one is old enough.

        Args:
            step: reached.
            steps: of the run in all; 0 while that is not known.
        """
        if time.monotonic() - self._beaten < BEAT_SECONDS and step:
            return
        self._beaten = time.monotonic()
        self._heart.step, self._heart.steps = step, steps
        content = json.dumps(asdict(self._heart)).ljust(200).encode()
        with suppress(OSError):  # a full disk stops the run elsewhere, with a better message
            os.pwrite(self._descriptor, content, 0)


@contextmanager
def lock(folder: Path) -> Iterator[Lock]:
    """Hold a folder's lock.

    Raises:
        RunningElsewhere: another process holds it.
    """
    path = folder / LOCK
    patience = time.monotonic() + 0.2  # who only looks at the lock holds it for a moment
    while True:
        alive = heartbeat(folder)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = alive is not None and alive.host != platform.node()
        except BlockingIOError:
            held = True
        if held and time.monotonic() < patience:
            os.close(descriptor)
            time.sleep(0.02)
            continue
        if held:
            os.close(descriptor)
            where = f" ({alive.host}, process {alive.pid})" if alive else ""
            raise RunningElsewhere(
                f"{folder}: another process{where} is working on this run. Wait for it, or choose "
                "another `sweep_name`."
            )
        # The holder before us may have removed the file between our two calls.
        if path.exists() and os.stat(path).st_ino == os.fstat(descriptor).st_ino:
            break
        os.close(descriptor)
    try:
        yield Lock(descriptor)
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def heartbeat(folder: Path) -> Heartbeat | None:
    """Return who works on a folder's run, or None if nobody does.

    A process of this host is alive if it holds the kernel's lock; one of another host if its heart
    has beaten lately, by the clock of the shared folder.
    """
    path = folder / LOCK
    try:
        with path.open("rb") as stream:
            try:
                heart = Heartbeat(**json.loads(stream.read()))
            except (ValueError, TypeError):
                heart = Heartbeat("unknown", 0)  # it is just being written
            if heart.host in (platform.node(), "unknown"):
                try:
                    fcntl.flock(stream.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return heart
                return None
            age = _now(folder) - os.fstat(stream.fileno()).st_mtime
            return heart if age < DEAD_SECONDS else None
    except FileNotFoundError:
        return None


def _now(folder: Path) -> float:
    """Return the time by the clock of a folder's file system, else this host's."""
    probe = folder / f".clock.{platform.node()}.{os.getpid()}"
    try:
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
    except OSError:
        return time.time()
    return now
