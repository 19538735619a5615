"""Processes that train the runs of a sweep side by side, each contained.

What was tried instead, with eight jobs of which one is killed: joblib's pool breaks and drops the
jobs that are left; submitit's local executor starts all at once; Ray drops unfinished jobs; pebble
contains the death, but kills workers 3 seconds after it asked them to stop, whatever they are
saving, and its workers do not notice the death of the process that started them. Here a
worker is a fork of one server that has imported everything, so that replacing a dead one costs
milliseconds; and its end, however it comes, is the end of one job only.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from mtl_bench.errors import UserError

J = TypeVar("J")

POLL_SECONDS = 1.0
"""Between two looks at the jobs that run."""

ELSEWHERE_SECONDS = 2.0
"""Until a job that another sweep works on is tried again."""

PATIENCE_SECONDS = 30.0
"""For workers that were asked to stop, to write their checkpoint."""

Outcome = Literal["done", "interrupted", "elsewhere"]


@dataclass
class Worker(Generic[J]):
    """A process, the connection to it, and the job that it works on."""

    process: BaseProcess
    connection: Connection
    job: J | None = None


@dataclass
class Event(Generic[J]):
    """What happened to a job: an outcome, or how its process died; None: time has passed."""

    job: J | None = None
    outcome: Outcome | None = None
    death: str | None = None
    running: list[J] = field(default_factory=list)


class Stopped(BaseException):
    """A signal asked the sweep to stop; no `except Exception` is to swallow it."""

    def __init__(self, number: int) -> None:
        """Take the signal's number."""
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number


class Workers(Generic[J]):
    """As many processes as wanted, each of which does one job after the other.

    The first SIGINT or SIGTERM asks all workers to save and stop; the second kills them.
    """

    def __init__(
        self, count: int, function: Callable[[J], Outcome], preload: Sequence[str] = ()
    ) -> None:
        """Start nothing yet.

        Args:
            count: processes.
            function: does a job; it and the jobs are pickled.
            preload: modules that are imported once, for all workers.
        """
        methods = multiprocessing.get_all_start_methods()
        self._context = multiprocessing.get_context(
            "forkserver" if "forkserver" in methods else "spawn"
        )
        self._preload = list(preload)
        self._count = count
        self._function = function
        self._asked: list[int] = []

    def run(self, jobs: Sequence[J]) -> Iterator[Event[J]]:
        """Do jobs; yield an event for the end of each, and one every second.

        Raises:
            Stopped: a signal came; the jobs under way were told to save.
        """
        queue = deque(jobs)
        later: deque[tuple[float, J]] = deque()  # those that another sweep works on
        workers: list[Worker[J]] = []
        previous = {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM)}
        if self._context.get_start_method() == "forkserver":
            # It inherits what it ignores: Ctrl-C while it imports would end it, and the sweep.
            self._context.set_forkserver_preload(self._preload)
            forkserver.ensure_running()
        for number in previous:
            signal.signal(number, self._ask)
        try:
            while queue or later or any(worker.job is not None for worker in workers):
                while later and later[0][0] <= time.monotonic():
                    queue.append(later.popleft()[1])
                self._hand_out(queue, workers)
                for event in self._listen(workers):
                    if event.outcome == "elsewhere" and event.job is not None:
                        later.append((time.monotonic() + ELSEWHERE_SECONDS, event.job))
                    yield event
                yield Event(running=[w.job for w in workers if w.job is not None])
                if self._asked:
                    yield from self._stop(workers)
                    raise Stopped(self._asked[0])
        finally:
            for worker in workers:
                worker.connection.close()  # an idle worker ends when nobody can send any more
                if worker.job is not None:
                    worker.process.kill()
            for worker in workers:
                worker.process.join()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _ask(self, number: int, _: Any) -> None:
        self._asked.append(number)

    def _hand_out(self, queue: deque[J], workers: list[Worker[J]]) -> None:
        """Give a job to each idle worker, starting workers where there are too few."""
        while queue:
            idle = next((worker for worker in workers if worker.job is None), None)
            if idle is None:
                if len(workers) >= self._count:
                    return
                idle = self._start()
                workers.append(idle)
            idle.job = queue.popleft()
            try:
                idle.connection.send(idle.job)
            except OSError:  # it was killed while idle
                queue.appendleft(idle.job)
                workers.remove(idle)

    def _start(self) -> Worker[J]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(  # type: ignore[attr-defined]  # every context has it
            target=_work, args=(theirs, self._function), daemon=True
        )
        try:
            process.start()
        except (EOFError, OSError) as error:
            raise UserError(
                f"no worker can be started: the process that starts them has ended ({error}). "
                "Re-run the command to resume."
            ) from None
        theirs.close()
        return Worker(process, ours)

    def _listen(self, workers: list[Worker[J]]) -> Iterator[Event[J]]:
        """Yield what busy workers report within a second, and their deaths."""
        busy = [worker for worker in workers if worker.job is not None]
        for ready in wait([worker.connection for worker in busy], POLL_SECONDS):
            worker = next(worker for worker in busy if worker.connection is ready)
            job, worker.job = worker.job, None
            try:
                outcome: Outcome = worker.connection.recv()
            except (EOFError, OSError):
                worker.process.join()
                workers.remove(worker)
                if self._asked and worker.process.exitcode == -signal.SIGTERM:
                    yield Event(job, "interrupted")  # it had not begun, and nothing to save
                else:
                    yield Event(job, death=_death(worker.process.exitcode))
            else:
                yield Event(job, outcome)

    def _stop(self, workers: list[Worker[J]]) -> Iterator[Event[J]]:
        """Ask busy workers to save and stop, and wait for them, though not for ever."""
        for worker in workers:
            if worker.job is not None:
                worker.process.terminate()  # unlike os.kill, of one that is dead already, too
        end = time.monotonic() + PATIENCE_SECONDS
        while (
            any(worker.job is not None for worker in workers)
            and time.monotonic() < end
            and len(self._asked) < 2
        ):
            yield from self._listen(workers)


def _death(code: int | None) -> str:
    """Say how a process ended.

    >>> _death(-9)
    'its process was killed by SIGKILL; the system does that when memory runs out'
    """
    if code == 255:  # what a fork server that died itself can no longer tell
        return "its process was killed; how is not known"
    if code is None or code >= 0:
        return f"its process ended with exit code {code}"
    name = signal.Signals(-code).name
    memory = "; the system does that when memory runs out" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{memory}"


def _work(connection: Connection, function: Callable[[Any], Outcome]) -> None:
    """Do what comes in, in a worker process, until nothing can come in any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the sweep says what to do
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = connection.recv()
        except (EOFError, OSError):
            return
        try:
            outcome = function(job)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        try:
            connection.send(outcome)
        except OSError:
            return


def _end_with_parent() -> None:
    """When the sweep's process is gone, save and stop as if it had asked."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_SECONDS)
        os._exit(1)


def redirect_output(file: Path) -> None:
    """Append what this process prints, and what libraries print in it, to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
