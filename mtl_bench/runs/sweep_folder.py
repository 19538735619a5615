"""The runs of a sweep's folder: what was planned, what is on disk, in which state it is."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from filelock import FileLock

from mtl_bench.errors import UserError, visible
from mtl_bench.files import write_atomically
from mtl_bench.runs.checkpoint_header import read_header
from mtl_bench.runs.curve import MOST_STEPS
from mtl_bench.runs.lock import HEARTBEAT, Heartbeat, heartbeat
from mtl_bench.runs.record import RECORD, Record
from mtl_bench.runs.record_reading import read_record
from mtl_bench.runs.result_sets import SUFFIX, packaged, unpacked
from mtl_bench.runs.schedule import Schedule
from mtl_bench.runs.seal import DAMAGE

PLAN = "plan.json"
PUBLISHED = "published"
"""The name of the paper's own runs, wherever that of a sweep may stand."""
LONGEST = 1000
"""Characters of a run's folder."""

State = Literal["finished", "running", "interrupted", "failed", "damaged", "pending"]


@dataclass(frozen=True)
class SweepRun:
    """A run of a sweep.

    Attributes:
        folder: below the sweep's.
        tasks: sorted.
        seed: of the run.
        budgets: steps per task that were asked for, ascending; it is trained once, to the last.
    """

    folder: str
    tasks: tuple[str, ...]
    seed: int
    budgets: tuple[float, ...]

    @property
    def steps(self) -> int:
        """The optimiser steps to train, all tasks together."""
        return Schedule(len(self.tasks), self.budgets[-1]).steps

    @property
    def variant(self) -> str:
        """What tells runs of the same tasks and seed apart: overrides that matter, as a folder."""
        return "/".join(self.folder.split("/")[1:-1])


@dataclass(frozen=True)
class RunStatus:
    """A run and what the disk says of it.

    Attributes:
        run: what it is.
        state: finished (to its last budget), running, interrupted, failed, damaged (its record
            cannot be read) or pending (not begun, killed with its sweep, or to be extended).
        record: if there is a readable one; one that is finished to a smaller budget counts.
        heartbeat: of the process that works on it.
        problem: why it failed or is damaged; the first line says what.
        steps_done: those that its checkpoint, or its record if it is finished, spares.
    """

    run: SweepRun
    state: State
    record: Record | None = None
    heartbeat: Heartbeat | None = None
    problem: str | None = None
    steps_done: int = 0


def write_plan(sweep: Path, runs: Iterable[SweepRun]) -> None:
    """Add runs to the plan of a sweep's folder; those planned before, and their budgets, stay.

    A folder whose plan has all of them may be one that cannot be written to.
    """
    runs = list(runs)
    budgets_of = {run.folder: {*run.budgets} for run in read_plan(sweep)}
    if all({*run.budgets} <= budgets_of.get(run.folder, set()) for run in runs):
        return
    with FileLock(sweep / ".plan.lock"):  # another sweep may add its runs just now
        plan = {run.folder: run for run in read_plan(sweep)}
        for run in runs:
            earlier = plan[run.folder].budgets if run.folder in plan else ()
            budgets = tuple(sorted({*earlier, *run.budgets}))
            plan[run.folder] = replace(run, budgets=budgets)
        content = json.dumps([asdict(run) for _, run in sorted(plan.items())], indent=1)
        write_atomically(sweep / PLAN, content)


def read_plan(sweep: Path) -> list[SweepRun]:
    """Return the runs planned in a sweep's folder; none if it has no plan, or a damaged one."""
    try:
        rows = json.loads((sweep / PLAN).read_text("utf-8"))
        return [_sweep_run(**row) for row in rows]
    except (OSError, *DAMAGE):
        return []


def _sweep_run(folder: str, tasks: list[str], seed: int, budgets: list[float]) -> SweepRun:
    """Return a run of a plan.

    Raises:
        ValueError: a value is not what a plan has.
    """
    texts = isinstance(tasks, list) and all(isinstance(each, str) for each in (folder, *tasks))
    numbers = isinstance(budgets, list) and all(isinstance(each, float | int) for each in budgets)
    if not texts or not tasks or not numbers or not budgets or type(seed) is not int:
        raise ValueError("damaged")
    # A plan may be a stranger's; what reads or packs a sweep stays in its folder.
    path = PurePosixPath(folder)
    if (
        path.is_absolute()
        or ".." in path.parts
        or len(folder) > LONGEST
        or any(visible(text) != text for text in (folder, *tasks))
    ):
        raise ValueError("damaged")
    if not all(0 < budget < MOST_STEPS for budget in budgets):
        raise ValueError("damaged")
    return SweepRun(folder, tuple(tasks), seed, tuple(sorted(budgets)))


def run_status(sweep: Path, run: SweepRun) -> RunStatus:
    """Return what the disk says of a run."""
    folder = sweep / run.folder
    # Before the record: that of a run being extended says finished until the new one is.
    try:
        if beat := heartbeat(folder):
            return RunStatus(run, "running", None, beat)
        record = read_record(folder)
    except UserError as error:
        return RunStatus(run, "damaged", problem=str(error))
    except OSError as error:
        return RunStatus(run, "damaged", problem=f"{folder}: {error.strerror}")
    checkpoint = read_header(folder)
    steps_done = checkpoint.step if checkpoint else 0
    if record is None:
        return RunStatus(run, "pending", steps_done=steps_done)
    problem = f"{record.error.type}: {record.error.message}" if record.error else None
    if record.status != "finished":
        return RunStatus(run, record.status, record, None, problem, steps_done)
    if record.steps_done >= run.steps:
        return RunStatus(run, "finished", record, steps_done=run.steps)
    return RunStatus(run, "failed" if problem else "pending", record, None, problem, steps_done)


def read_sweep(sweep: Path, tasks: Collection[str] = ()) -> list[RunStatus]:
    """Return the runs of a sweep's folder: those planned, and others begun there.

    Args:
        sweep: its folder.
        tasks: only runs that have one of them; empty for all runs.

    Raises:
        UserError: there is no such folder, or no such run in it.
    """
    return list(sweep_statuses(sweep, tasks))


def sweep_statuses(sweep: Path, tasks: Collection[str] = ()) -> Iterator[RunStatus]:
    """Yield what `read_sweep` returns one at a time, where all records would not fit in memory.

    Raises:
        UserError: there is no such folder, or no such run in it.
    """
    if not sweep.is_dir():
        raise UserError(f"{sweep}: there is no such folder. {_sweeps_near(sweep)}")
    plan = {run.folder: run for run in read_plan(sweep)}
    folders = sorted({*plan, *(folder for folder in _begun(sweep) if "/" in folder)})
    if not folders:
        raise UserError(f"{sweep}: has no runs. {_sweeps_near(sweep)}")
    of_folder = {folder: set(folder.split("/")[0].split("+")) for folder in folders}
    if absent := sorted(set(tasks).difference(*of_folder.values())):
        raise UserError(f"{sweep}: has no run of {', '.join(absent)}.")
    for folder in (each for each in folders if not tasks or of_folder[each] & set(tasks)):
        yield run_status(sweep, plan[folder]) if folder in plan else _unplanned(sweep, folder)


def _begun(sweep: Path) -> Iterator[str]:
    """Yield the folders of the runs that were begun in a sweep, those of sweeps inside it left out.

    Such a one is `trials`, of a tuning.
    """
    for place, folders, files in os.walk(sweep):
        folders[:] = [name for name in folders if not Path(place, name, PLAN).exists()]
        if RECORD in files or HEARTBEAT in files:
            yield os.path.relpath(place, sweep)


def _unplanned(sweep: Path, folder: str) -> RunStatus:
    """Return a run that was started by itself."""
    tasks = tuple(folder.split("/")[0].split("+"))
    digits = folder.rsplit("/", 1)[-1].removeprefix("seed")
    # Without a plan, its budget is known from its record or heartbeat only.
    run = SweepRun(folder, tasks, int(digits) if digits.isdecimal() else 0, (0.0,))
    status = run_status(sweep, run)
    budget = status.record.budget if status.record else 0.0
    if status.heartbeat:
        budget = status.heartbeat.steps / len(tasks)
    return run_status(sweep, replace(run, budgets=(budget,)))


def sweep_folder(name: str | Path) -> Path:
    """Return the folder of a sweep, named by its path or, below `multirun_outputs`, its name.

    A result set is named by its file, or is one of the package's (see `result_sets`).

    Raises:
        UserError: the name is empty, or a file is no result set.
    """
    if not str(name).strip():
        raise UserError("the name of the sweep is empty. Was a shell variable not set?")
    path, below = Path(name), Path("multirun_outputs") / name
    has_runs = path.is_dir() and any(path.rglob(RECORD))
    if below.is_dir() and not has_runs:
        return below
    if not has_runs and str(name) in packaged():
        return unpacked(packaged()[str(name)])
    return unpacked(path) if path.name.endswith(SUFFIX) and path.is_file() else path


def _sweeps_near(sweep: Path) -> str:
    parent = sweep.parent if not sweep.is_dir() else sweep
    # Where a mistyped name was probably meant to be.
    places = {parent, Path("multirun_outputs")}
    near = sorted(
        str(folder)
        for place in places
        if place.is_dir()
        for folder in place.iterdir()
        if folder.is_dir() and folder != Path("multirun_outputs") and any(folder.rglob(RECORD))
    )
    sets = f"Result sets of the package: {', '.join(packaged())}."
    if not near:
        return f"Name the folder of a sweep. {sets}"
    return f"Sweeps: {', '.join(near[:20])}{', ...' if len(near) > 20 else '.'} {sets}"


def all_tasks(runs: Sequence[RunStatus]) -> list[str]:
    """Return the tasks of some runs, sorted."""
    return sorted({task for status in runs for task in status.run.tasks})
