"""What a study starts from: gains, single runs, curves of F1; of a sweep, or published."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import fmean

import numpy as np

from mtl_bench.analysis.data.single_runs import Floats, SingleRun, single_run
from mtl_bench.analysis.gains.gains import gains
from mtl_bench.analysis.gains.uncertainty import Late, Measured, late, measured, with_errors
from mtl_bench.errors import UserError
from mtl_bench.paper import published
from mtl_bench.runs.curve import CurveRow, read_curve
from mtl_bench.runs.sweep_folder import RunStatus, all_tasks

FREEDOM = 18  # of the published spreads, which come from 20 evaluations
SHOWN = 10  # runs that nobody asked for, by name
LAST = 3  # evaluations whose mean stands for a run so far


@dataclass(frozen=True)
class Progress:
    """F1 of a task while a run goes on.

    Attributes:
        share: [E] of the run's steps done at each evaluation, 0 to 1.
        f1: [E] there.
    """

    share: Floats
    f1: Floats

    def at(self, percent: float) -> float:
        """Return the mean F1 of the last evaluations up to a percentage; nan if there is none."""
        seen = self.f1[self.share <= percent / 100 + 1e-9]
        return float(seen[-LAST:].mean()) if len(seen) else float("nan")


@dataclass(frozen=True)
class Evidence:
    """The measurements of a study.

    Attributes:
        source: `published`, or a sweep's folder and variant.
        gains: of all directed pairs that have both runs.
        singles: single runs, one or more (seeds) a task.
        progress: F1 over a run (`a` or `a+b`) by task; first seed.
        single_steps: of all single runs, one seed.
        all_steps: of all single and pair runs, one seed.
        missing: runs without which there are fewer gains, and why.
        sets: gains from two or more auxiliaries at once, whose names `+` joins.
        undefined: changes in points of main tasks that score 0 alone, by (main, aux).
        alone: final score of each task's single runs, mean over seeds.
        metric: that gains are of, one of `gains.METRICS`.
        known: features that the paper's authors released, which stand for computed ones.
    """

    source: str
    gains: Sequence[Measured]
    singles: Sequence[SingleRun]
    progress: Mapping[tuple[str, str], Progress]
    single_steps: int
    all_steps: int
    missing: Sequence[str] = ()
    sets: Sequence[Measured] = ()
    undefined: Mapping[tuple[str, str], float] = field(default_factory=dict)
    alone: Mapping[str, float] = field(default_factory=dict)
    metric: str = "f1"
    known: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Return the sha256 of all that predictions are made of."""
        digest = hashlib.sha256(repr((self.gains, self.known, self.metric)).encode())
        for run in self.singles:
            digest.update(repr((run.task, dict(run.statistics))).encode())
            digest.update(run.steps.tobytes() + run.losses.tobytes())
        return digest.hexdigest()

    @property
    def published(self) -> bool:
        """Return whether these are the paper's runs."""
        return bool(self.known)


def published_evidence() -> Evidence:
    """Return what the paper's authors measured: one seed, 50,000 steps single, 100,000 pair."""
    statistics, curves = published.table1(), published.curve_features()
    found = [
        Measured(r.main, r.aux, 1, r.single_f1, r.pair_f1, r.gain, r.late, None, r.spread, FREEDOM)
        for r in published.gain_rows()
    ]
    losses = {task: _until(*curve) for task, curve in published.loss_curves().items()}
    f1 = {key: _until(*curve, pair="+" in key[0]) for key, curve in published.f1_curves().items()}
    return Evidence(
        "published",
        with_errors(found),
        [SingleRun(task, statistics[task], *losses[task]) for task in sorted(losses)],
        {key: Progress(steps / steps[-1], values) for key, (steps, values) in f1.items()},
        *_steps({run: int(steps[-1]) for (run, _), (steps, _) in f1.items()}),
        alone={row.main: row.single_f1 for row in published.gain_rows()},
        known={task: {**statistics[task], **curves[task]} for task in statistics},
    )


def _until(steps: Floats, values: Floats, pair: bool = False) -> tuple[Floats, Floats]:
    """Return a published curve up to its schedule; that of `com` alone goes on."""
    kept = steps <= (100_000 if pair else 50_000)
    return steps[kept], values[kept]


def sweep_evidence(
    source: str, folder: Path, stored: Sequence[RunStatus], metric: str = "f1"
) -> Evidence:
    """Return what the runs of one variant of a sweep measured.

    Args:
        source: what to call them.
        folder: of the sweep.
        stored: the variant's runs.
        alone: final score of each task's single runs, mean over seeds.
        metric: that gains are of.

    A run whose curve is damaged is missing.
    """
    lates: dict[tuple[str, int], dict[str, Late | None]] = {}
    progress: dict[tuple[str, str], Progress] = {}
    singles, steps, usable, missing = [], {}, [], _missing(stored)
    alone: dict[str, list[float]] = {}
    for run in stored:
        if run.state != "finished":
            continue
        try:
            curve = read_curve(folder / run.run.folder)
        except UserError as error:
            missing.append(str(error))
            continue
        usable.append(run)
        name = "+".join(run.run.tasks)
        for task in run.run.tasks:
            lates.setdefault((name, run.run.seed), {})[task] = late(curve, task, metric)
            progress.setdefault((name, task), _progress(curve, task, run.run.steps, metric))
        steps[name] = run.run.steps
        if len(run.run.tasks) == 1 and run.record:
            singles.append(single_run(run, curve))
            if (score := run.record.tasks[name].final.get(metric)) is not None:
                alone.setdefault(name, []).append(score)
    found: list[Measured] = []
    undefined = {}
    for gain in gains(usable, metric):
        runs = {key: tasks.get(gain.main) for key, tasks in lates.items()}
        if known := measured(gain, runs):
            found.append(known)
        else:
            undefined[gain.main, gain.aux] = gain.points()
    return Evidence(
        source,
        with_errors([gain for gain in found if "+" not in gain.aux]),
        singles,
        progress,
        *_steps(steps),
        missing,
        with_errors([gain for gain in found if "+" in gain.aux]),
        undefined,
        {task: fmean(scores) for task, scores in alone.items()},
        metric,
    )


def _progress(curve: Sequence[CurveRow], task: str, steps: int, metric: str) -> Progress:
    rows = [
        (row.step / steps, value)
        for row in curve
        if row.task == task
        and row.split != "train"
        and (value := row.values.get(metric)) is not None
    ]
    share, values = np.array(rows, dtype=np.float64).reshape(-1, 2).T
    return Progress(share, values)


def _steps(steps: Mapping[str, int]) -> tuple[int, int]:
    """Return the steps of all single runs, and of all runs."""
    return sum(n for run, n in steps.items() if "+" not in run), sum(steps.values())


def _missing(stored: Sequence[RunStatus]) -> list[str]:
    """Name runs that are not finished, and pairs that nobody asked for."""
    unfinished = [
        f"{run.run.folder}: {(run.problem or run.state).splitlines()[0]}"
        for run in stored
        if run.state != "finished"
    ]
    sets = {run.run.tasks for run in stored}
    every = [(task,) for task in all_tasks(stored)] + list(combinations(all_tasks(stored), 2))
    unasked = ["+".join(tasks) for tasks in every if tasks not in sets]
    if unasked:
        shown = ", ".join(unasked[:SHOWN]) + (", ..." if len(unasked) > SHOWN else "")
        unfinished.append(f"{len(unasked)} of {len(every)} runs are not part of the sweep: {shown}")
    return unfinished
