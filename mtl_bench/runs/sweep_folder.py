"""The runs of a sweep's folder: what was planned, what is on disk, in which state it is."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.lock import LOCK, Heartbeat, heartbeat
from mtl_bench.runs.record import CHECKPOINT, RECORD, Record, read_record

PLAN = "plan.json"

State = Literal["finished", "running", "interrupted", "failed", "damaged", "waiting"]


@dataclass(frozen=True)
class Planned:
    """A run that a sweep is to do.

    Attributes:
        folder: below the sweep's.
        tasks: sorted.
        seed: of the run.
        steps: to train.
    """

    folder: str
    tasks: tuple[str, ...]
    seed: int
    steps: int

    @property
    def variant(self) -> str:
        """What tells runs of the same tasks and seed apart: overrides that matter, as a folder."""
        return "/".join(self.folder.split("/")[1:-1])


@dataclass(frozen=True)
class Stored:
    """A run and what the disk says of it.

    Attributes:
        planned: what it is.
        state: finished, running, interrupted, failed, damaged (its record cannot be read) or
            waiting (there is no record: it has not begun, or was killed with its sweep).
        steps_done: those that its checkpoint, or its record if it is finished, spares.
        record: if there is a readable one.
        heart: of the process that works on it.
        problem: why it failed or is damaged; the first line says what.
    """

    planned: Planned
    state: State
    record: Record | None = None
    heart: Heartbeat | None = None
    problem: str | None = None
    steps_done: int = 0


def write_plan(sweep: Path, runs: Iterable[Planned]) -> None:
    """Add runs to the plan of a sweep's folder; those planned before stay."""
    descriptor = os.open(sweep, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # another sweep may add its runs just now
        there = {run.folder: run for run in read_plan(sweep)}
        merged = there | {run.folder: run for run in runs}
        content = json.dumps([asdict(run) for _, run in sorted(merged.items())], indent=1)
        write_atomically(sweep / PLAN, lambda stream: stream.write(content.encode()))
    finally:
        os.close(descriptor)


def read_plan(sweep: Path) -> list[Planned]:
    """Return the runs planned in a sweep's folder; none if it has no plan, or a damaged one."""
    try:
        rows = json.loads((sweep / PLAN).read_text("utf-8"))
        return [_planned(**row) for row in rows]
    except (OSError, ValueError, TypeError):
        return []


def _planned(folder: str, tasks: list[str], seed: int, steps: int) -> Planned:
    """Return a run of a plan.

    Raises:
        ValueError: a value is not what a plan has.
    """
    texts = isinstance(tasks, list) and all(isinstance(each, str) for each in (folder, *tasks))
    if not texts or type(seed) is not int or type(steps) is not int:
        raise ValueError("damaged")
    return Planned(folder, tuple(tasks), seed, steps)


def look(sweep: Path, planned: Planned) -> Stored:
    """Return what the disk says of a run."""
    folder = sweep / planned.folder
    if heart := heartbeat(folder):
        return Stored(planned, "running", None, heart)
    try:
        record = read_record(folder)
    except UserError as error:
        return Stored(planned, "damaged", problem=str(error))
    except OSError as error:
        return Stored(planned, "damaged", problem=f"{folder}: {error.strerror}")
    if record is None:
        return Stored(planned, "waiting")
    problem = f"{record.error['type']}: {record.error['message']}" if record.error else None
    spared = record.status == "finished" or (folder / CHECKPOINT).exists()
    done = record.steps_done if spared else 0
    return Stored(planned, record.status, record, None, problem, done)


def read_sweep(sweep: Path) -> list[Stored]:
    """Return all runs of a sweep's folder: those planned, and others begun there.

    Raises:
        UserError: there is no such folder, or no run in it.
    """
    if not sweep.is_dir():
        raise UserError(f"{sweep}: there is no such folder. {_sweeps_near(sweep)}")
    runs = {run.folder: run for run in read_plan(sweep)}
    found = [look(sweep, run) for run in runs.values()]
    begun = {file.parent for name in (RECORD, LOCK) for file in sweep.rglob(name)}
    for place in sorted(begun):
        folder = str(place.relative_to(sweep))
        if folder not in runs and "/" in folder:
            found.append(_unplanned(sweep, folder))
    if not found:
        raise UserError(f"{sweep}: has no runs. {_sweeps_near(sweep)}")
    return sorted(found, key=lambda run: run.planned.folder)


def _unplanned(sweep: Path, folder: str) -> Stored:
    """Return a run that was started by itself."""
    tasks = tuple(folder.split("/")[0].split("+"))
    seed = folder.rsplit("/", 1)[-1].removeprefix("seed")
    run = look(sweep, Planned(folder, tasks, int(seed) if seed.isdecimal() else 0, 0))
    steps = run.record.steps_planned if run.record else run.heart.steps if run.heart else 0
    planned = Planned(folder, tasks, run.planned.seed, steps)
    return Stored(planned, run.state, run.record, run.heart, run.problem)


def _sweeps_near(sweep: Path) -> str:
    parent = sweep.parent if not sweep.is_dir() else sweep
    places = {parent, Path("multirun_outputs")}
    near = sorted(
        str(folder)
        for place in places
        if place.is_dir()
        for folder in place.iterdir()
        if folder.is_dir() and folder != Path("multirun_outputs") and any(folder.rglob(RECORD))
    )
    if not near:
        return "Name the folder of a sweep."
    return f"Sweeps: {', '.join(near[:20])}" + (", ..." if len(near) > 20 else ".")


def tasks_of(runs: Sequence[Stored]) -> list[str]:
    """Return the tasks of some runs, sorted."""
    return sorted({task for run in runs for task in run.planned.tasks})
