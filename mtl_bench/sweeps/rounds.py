"""A sweep in rounds: what is trained next follows from what was measured."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Protocol

from mtl_bench.runs.sweep_folder import RunStatus, SweepRun, run_status, write_plan
from mtl_bench.sweeps.plan import Plan
from mtl_bench.sweeps.planned_run import Job, state

Launch = Callable[[Plan], None]
"""Trains the runs of a plan."""


class RunRequest(Protocol):
    """A run to be trained further."""

    @property
    def main(self) -> str:
        """The main task."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks, sorted."""

    @property
    def budget(self) -> int:
        """Steps per task, to be reached."""

    @property
    def seed(self) -> int:
        """Of the run."""


class Adviser(Protocol):
    """Decides what is trained next."""

    def next(self) -> Sequence[RunRequest]:
        """Return the runs of the next round; none ends the sweep."""

    def done(self, statuses: Sequence[RunStatus], seconds: float) -> None:
        """Note a round.

        Args:
            statuses: of its runs, at the budgets asked for.
            seconds: that it took.
        """


def run_rounds(plan: Plan, adviser: Adviser, launch: Launch) -> list[RunStatus]:
    """Train in rounds; return the runs that could not be trained to what was asked.

    Args:
        plan: the runs that may be trained, each with its longest budget and one seed.
        adviser: chooses among them, with budgets and seeds.
        launch: trains the runs of a round.
    """
    stuck: dict[str, RunStatus] = {}
    request = adviser.next()
    while request:
        jobs = [job_of(plan, each) for each in request]
        plan.sweep.mkdir(parents=True, exist_ok=True)
        write_plan(plan.sweep, [job.status.run for job in jobs])
        begin, broken = time.monotonic(), False
        try:
            launch(replace(plan, jobs=jobs))
        except Exception:  # of a launcher that breaks; the disk knows what was done
            traceback.print_exc()
            print("\nThe launcher broke; what it did is kept.", file=sys.stderr)
            broken = True
        ends = [run_status(plan.sweep, job.status.run) for job in jobs]
        if not broken:
            adviser.done(ends, time.monotonic() - begin)
        unfinished = [end for end in ends if end.state != "finished"]
        for end in ends:
            stuck.pop(end.run.folder, None)
        stuck |= {end.run.folder: end for end in unfinished}
        if broken:
            break
        following = adviser.next()
        # Without any progress the same may be asked for again, without end.
        is_idle = len(unfinished) == len(ends) and not _progress(jobs, ends)
        if is_idle and _runs(following) == _runs(request):
            break
        request = following
    return list(stuck.values())


def _runs(requests: Sequence[RunRequest]) -> set[tuple[tuple[str, ...], int, int]]:
    return {(each.tasks, each.budget, each.seed) for each in requests}


def _progress(jobs: Sequence[Job], ends: Sequence[RunStatus]) -> bool:
    """Return whether a run of a round ended in another state than it began."""
    pairs = zip(jobs, ends, strict=True)
    return any(
        (job.status.state, job.status.steps_done) != (end.state, end.steps_done)
        for job, end in pairs
    )


def job_of(plan: Plan, request: RunRequest) -> Job:
    """Return the job that trains a run to a budget, with a seed.

    Raises:
        UserError: its folder holds a run of another configuration.
    """
    jobs = [job for job in plan.jobs if job.status.run.tasks == request.tasks]
    job = next((job for job in jobs if job.config.main == request.main), jobs[0])
    config = replace(job.config, steps_per_task=request.budget, seed=request.seed)
    own = {"steps_per_task": request.budget, "seed": request.seed, "keep_checkpoint": "true"}
    overrides = [each for each in job.overrides if each.partition("=")[0] not in own]
    run = at_seed(job.status.run, request.seed, request.budget)
    status = state(plan.sweep, run, config, job.checksums)
    return Job([*overrides, *(f"{k}={v}" for k, v in own.items())], config, status, job.checksums)


def at_seed(run: SweepRun, seed: int, budget: float) -> SweepRun:
    """Return the run of the same tasks with another seed and budget."""
    folder = str(PurePosixPath(run.folder).with_name(f"seed{seed}"))
    return replace(run, folder=folder, seed=seed, budgets=(float(budget),))
