"""What a person sees of a sweep: the plan before it starts, and how it goes."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import get_args

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from mtl_bench.runs.duration import duration
from mtl_bench.runs.lock import heartbeat
from mtl_bench.runs.record import RECORD, Record
from mtl_bench.runs.sweep_folder import RunStatus, State, SweepRun
from mtl_bench.sweeps.plan import Plan

BYTES_A_STEP = 10
"""Of a run's folder, measured on finished ones: a curve's row of about 60 bytes every ten steps,
and evaluations."""


def show_plan(plan: Plan, processes: int, seconds: float | None = None) -> None:
    """Print what is to be done.

    Args:
        plan: of the sweep.
        processes: side by side.
        seconds: that what is left takes, if that is known.
    """
    states = Counter(job.status.state for job in plan.jobs)
    tasks = sorted({task for job in plan.jobs for task in job.status.run.tasks})
    kinds = Counter(len(job.status.run.tasks) for job in plan.jobs)
    names = {1: "single", 2: "pair"}
    parts = ", ".join(
        f"{count} {names.get(n, f'set of {n}')}{'s' * (count > 1 and n < 3)}"
        for n, count in sorted(kinds.items())
    )
    console = Console(highlight=False)
    count = f"{len(plan.jobs)} run{'s' * (len(plan.jobs) > 1)}"
    console.print(f"[bold]{escape(str(plan.sweep))}[/]: {count} ({parts})")
    console.print(f"  tasks     {escape(', '.join(tasks)) or 'none'}")
    texts = [f"{states[state]} {state}" for state in get_args(State) if states[state]]
    if extensions := sum(job.is_extended() for job in plan.jobs):
        texts.append(f"{extensions} of them to be extended")
    console.print(f"  states    {', '.join(texts)}")
    if plan.follow_budget:
        console.print(
            f"  [yellow]budget[/]    {', '.join(plan.follow_budget)} follows the budget, which is "
            "part of each run then: none can be extended",
            soft_wrap=True,
        )
    if plan.baselines:
        console.print(
            f"  baselines {escape(', '.join(plan.baselines))} alone, added since gains are "
            "relative to that (baselines=false leaves them out)",
            soft_wrap=True,
        )
    if plan.no_baselines:
        console.print(
            f"  [yellow]baselines[/] {escape(', '.join(plan.no_baselines))} alone are missing: an "
            "override of another task (tasks.<name>...) has no place there, and gains need them",
            soft_wrap=True,
        )
    to_train = plan.left()
    if plan.trial is not None and plan.trial.logger and len(to_train) < len(plan.jobs):
        console.print("  logger    finished runs are not logged again (overwrite=true trains anew)")
    if to_train:
        size = sum(job.status.run.steps for job in to_train) * BYTES_A_STEP / 1e6
        console.print(
            f"  to train  {len(to_train)} run{'s' * (len(to_train) > 1)}, "
            f"{plan.steps_left():,} steps, {processes} at a time"
        )
        console.print(f"  disk      about {max(1, round(size))} MB")
        console.print(f"  time      {f'about {duration(seconds)}' if seconds else 'not known yet'}")
    if plan.to_download:
        console.print(f"  download  {escape(', '.join(plan.to_download))}")
    for task, reason in plan.missing.items():
        console.print(f"  [yellow]missing[/]   {escape(task)}: {escape(reason)}")
    if plan.missing and plan.dry_run:
        console.print("  A sweep with missing tasks starts with skip_missing=true only.")
    elif plan.missing:
        console.print("  Runs with missing tasks are left out.")


def print_final_metrics(record: Record, folder: Path) -> None:
    """Print the final metrics: a table on a terminal, else plain lines."""
    console = Console()
    titles = {
        name: of.title for _, task in record.main_first() for name, of in task.metrics.items()
    }
    titles["loss"] = "loss"
    rows = [
        [name, task.final_split, *(_number(task.final.get(metric)) for metric in titles)]
        for name, task in record.main_first()
    ]
    header = ["task", "split", *titles.values()]
    if console.is_terminal:
        table = Table(*header)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    else:
        for row in rows:
            print(row[0], *(f"{h}={v}" for h, v in zip(header[1:], row[1:], strict=True)), sep="  ")
    print(f"record: {folder / RECORD}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


class Screen:
    """The progress of a sweep: a display that changes on a terminal, else a line for each end."""

    def __init__(self, sweep: Path, runs: Sequence[SweepRun], done: Mapping[str, int]) -> None:
        """Take the sweep's folder, the runs to train, and the steps that each has, by folder."""
        self.sweep = sweep
        self.runs = {run.folder: run for run in runs}
        self.ends: dict[str, RunStatus] = {}
        self.steps = dict(done)
        self._steps_before = sum(self.steps.values())
        self._begin = time.monotonic()
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, transient=True, auto_refresh=False)

    def __enter__(self) -> Screen:
        """Begin."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the display."""
        self._live.stop()

    def update(self, running: Sequence[SweepRun]) -> None:
        """Show the runs in progress."""
        for run in running:
            if beat := heartbeat(self.sweep / run.folder):
                self.steps[run.folder] = max(beat.step, self.steps[run.folder])
        if self._console.is_terminal:
            self._live.update(self._display(running), refresh=True)

    def ended(self, status: RunStatus) -> None:
        """Show that a run has ended."""
        self.ends[status.run.folder] = status
        line = f"[{len(self.ends)}/{len(self.runs)}] {status.run.folder}  {status.state}"
        if status.record and status.state == "finished":
            self.steps[status.run.folder] = status.run.steps
            scores = (
                f"{name} {task.metrics[task.primary].title} {task.final[task.primary]:.4f}"
                for name, task in status.record.main_first()
            )
            seconds = float(status.record.timings["wall_seconds"])
            line += f"  {duration(seconds)}  {'  '.join(scores)}"
        elif status.problem:
            line += f"  {status.problem.splitlines()[0]}"
        seconds_left = self._seconds_left()
        if seconds_left is not None and len(self.ends) < len(self.runs):
            line += f"  ({duration(seconds_left)} left)"
        if self._console.is_terminal:
            self._live.console.print(escape(line), soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def _speed(self) -> float:
        """Return steps per second of all processes together."""
        # Those of earlier processes took no time of this one.
        steps = sum(self.steps.values()) - self._steps_before
        return steps / max(time.monotonic() - self._begin, 1e-9)

    def _seconds_left(self) -> float | None:
        speed = self._speed()
        # An interrupted run still has steps to do.
        folders = {f for f, run in self.ends.items() if run.state != "interrupted"}
        steps_left = sum(r.steps - self.steps[f] for f, r in self.runs.items() if f not in folders)
        return steps_left / speed if speed else None

    def _display(self, running: Sequence[SweepRun]) -> Table:
        counts = Counter(run.state for run in self.ends.values())
        total = sum(run.steps for run in self.runs.values())
        seconds_left = self._seconds_left()
        grid = Table.grid(padding=(0, 2))
        grid.add_row(
            ProgressBar(total=max(total, 1), completed=sum(self.steps.values()), width=30),
            f"{counts['finished']} done  {len(running)} running  {counts['failed']} failed  "
            f"{len(self.runs) - len(self.ends) - len(running)} left",
            f"{self._speed():.0f} steps/s",
            f"{duration(seconds_left)} left" if seconds_left is not None else "",
        )
        for run in running:
            steps = self.steps[run.folder]
            bar = ProgressBar(total=max(run.steps, 1), completed=steps, width=30)
            grid.add_row(bar, escape(run.folder), f"{steps}/{run.steps}")
        return grid
