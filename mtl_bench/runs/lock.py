"""One process at a time in a run's folder, and a sign of life for those who look on.

On one host the lock tells who holds a folder, and is freed however the process ends. On folders
that hosts share, locks do not always reach the other hosts; there a heartbeat counts.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from mtl_bench.errors import UserError, visible
from mtl_bench.runs.curve import MOST_STEPS
from mtl_bench.runs.seal import DAMAGE

LOCK, HEARTBEAT = ".lock", ".heartbeat"
BEAT_SECONDS = 2.0
DEAD_SECONDS = 120.0
"""A process of another host whose heartbeat is older is dead."""
PATIENCE_SECONDS = 0.2
"""Who only looks at a lock holds it for a moment."""


class RunningElsewhere(UserError):
    """Another process works on the run."""


@dataclass
class Heartbeat:
    """What a process that works on a run says of itself."""

    host: str
    pid: int
    step: int = 0
    steps: int = 0


class HeldLock:
    """A lock of this process; whoever trains calls `beat`."""

    def __init__(self, folder: Path) -> None:
        """Write the first sign of life."""
        self._file = folder / HEARTBEAT
        self._last = 0.0
        self._heartbeat = Heartbeat(platform.node(), os.getpid())
        self.beat(0, 0)

    def beat(self, step: int, steps: int) -> None:
        """Write a sign of life, if the last one is old enough.

        Args:
            step: reached.
            steps: of the run in all; 0 while that is not known.
        """
        if time.monotonic() - self._last < BEAT_SECONDS and step:
            return
        self._last = time.monotonic()
        self._heartbeat.step, self._heartbeat.steps = step, steps
        # Not written atomically: a rename every two seconds is much for a shared file system.
        content = json.dumps(asdict(self._heartbeat)).ljust(200).encode()
        with suppress(OSError):  # a full disk stops the run elsewhere, with a better message
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o666)
            os.pwrite(descriptor, content, 0)
            os.close(descriptor)


@contextmanager
def lock(folder: Path) -> Iterator[HeldLock]:
    """Hold a folder's lock.

    Raises:
        RunningElsewhere: another process holds it.
    """
    alive = heartbeat(folder)
    file_lock = FileLock(folder / LOCK)
    try:
        if alive and alive.host != platform.node():  # whose lock may not reach this host
            raise Timeout(str(folder))
        file_lock.acquire(timeout=PATIENCE_SECONDS, poll_interval=0.02)
    except Timeout:
        where = f" ({alive.host}, process {alive.pid})" if alive else ""
        raise RunningElsewhere(
            f"{folder}: another process{where} is working on this run. Wait for it, or choose "
            "another `sweep_name`."
        ) from None
    try:
        yield HeldLock(folder)
    finally:
        (folder / HEARTBEAT).unlink(missing_ok=True)
        file_lock.release()


def heartbeat(folder: Path) -> Heartbeat | None:
    """Return who works on a folder's run, or None if nobody does.

    A process of this host is alive if it holds the lock; one of another host if its heartbeat is
    recent, by the clock of the shared folder.
    """
    path = folder / HEARTBEAT
    try:
        beat = _read(path)
        if beat.host in (platform.node(), "unknown"):
            return beat if _is_locked(folder) else None
        return beat if abs(_now(folder) - path.stat().st_mtime) < DEAD_SECONDS else None
    except FileNotFoundError:
        return None


def _read(path: Path) -> Heartbeat:
    try:
        beat = Heartbeat(**json.loads(path.read_text("utf-8")))
        if any(type(each) is not int for each in (beat.pid, beat.step, beat.steps)):
            raise ValueError("damaged")
        if not 0 <= beat.step <= MOST_STEPS or not 0 <= beat.steps <= MOST_STEPS:
            raise ValueError("damaged")
        return replace(beat, host=visible(beat.host))
    except DAMAGE:
        return Heartbeat("unknown", 0)  # it is just being written


def _is_locked(folder: Path) -> bool:
    """Return whether a process of this host holds a folder's lock."""
    file_lock = FileLock(folder / LOCK)
    try:
        file_lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # no right to write there: the heartbeat has to do
        return True
    file_lock.release()
    return False


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
