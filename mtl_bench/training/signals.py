"""SIGINT and SIGTERM: a run that is asked to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(BaseException):
    """The run was asked to stop; no `except Exception` of a library is to swallow it."""

    def __init__(self, number: int) -> None:
        """Take the number of the signal."""
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise Interrupted; while a model trains, `Checkpoints` saves first.

    A process that ignores SIGINT is a sweep's worker: SIGINT stays ignored, and of several SIGTERM
    the first counts, since the sweep and whoever signals its whole group may each send one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only a main thread may listen to signals
        return

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (a handler's signature)
        if is_worker():
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted(number)

    previous = {n: signal.signal(n, stop) for n in stop_signals()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def is_worker() -> bool:
    """Return whether this process is a worker of a sweep, which ignores SIGINT."""
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def stop_signals() -> list[signal.Signals]:
    """Return the signals that ask this process to save and stop."""
    return [signal.SIGTERM] if is_worker() else [signal.SIGINT, signal.SIGTERM]
