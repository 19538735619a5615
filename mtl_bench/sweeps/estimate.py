"""How long the runs of a sweep will take: from those that ended before, else from a short trial."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from mtl_bench.config.schema import RunConfig
from mtl_bench.runs.record_reading import read_record
from mtl_bench.sweeps.plan import Plan
from mtl_bench.sweeps.workers import Outcome, Workers, redirect_output

STEPS_A_TASK = 8
"""Of the trial: a second or two on real corpora."""

TIMED = ("wall", "train")
"""Seconds that a record has."""

WITH_EVALUATION = 1.1
"""Of the training time; measured at an evaluation every 500 steps."""


@dataclass(frozen=True)
class Trial:
    """A run for the clock: the configuration, and where it may write."""

    config: RunConfig
    folder: Path


def seconds_left(plan: Plan, processes: int) -> float | None:
    """Return how long what is left takes with some processes side by side; None if unknown."""
    steps = plan.steps_left()
    times = [
        # Of a run that was resumed or extended, the former is of its last process only.
        (record.steps_done, max(float(record.timings.get(f"{n}_seconds", 0)) for n in TIMED))
        for job in plan.jobs
        if (record := job.status.record) and record.status == "finished"
    ]
    if any(seconds for _, seconds in times):
        seconds_a_step = sum(sec for _, sec in times) / max(1, sum(done for done, _ in times))
        return steps * seconds_a_step / processes
    if plan.trial is None or not steps:
        return None
    seconds = _by_trial(plan.trial, plan)
    return None if seconds is None else seconds / processes


@dataclass(frozen=True)
class Timing:
    """How long a trial took, in seconds.

    Attributes:
        steps: trained.
        training: of the steps and one evaluation.
        rest: of reading the data and of the final evaluation.
    """

    steps: int
    training: float
    rest: float


def cost(short: Timing, long: Timing) -> tuple[float, float]:
    """Return the seconds of a step and those that a run needs whatever its steps.

    The first trial may have read and kept corpora that the second finds in the cache; so what is
    not training is taken from the second.
    """
    step = (long.training - short.training) / (long.steps - short.steps)
    if step <= 0:  # on a busy machine
        step = long.training / long.steps
    evaluation = max(long.training - long.steps * step, 0.0)
    return step, long.rest + evaluation


def _by_trial(config: RunConfig, plan: Plan) -> float | None:
    """Train all tasks together for a moment, shortly and three times as long."""
    tasks, runs = len(config.tasks), plan.left()
    with tempfile.TemporaryDirectory() as folder:
        short, long = (_trial(config, Path(folder) / f"{n}", n * STEPS_A_TASK) for n in (1, 3))
    if short is None or long is None:
        return None
    step, rest = cost(short, long)
    share = sum(len(job.status.run.tasks) for job in runs) / tasks
    return plan.steps_left() * step * WITH_EVALUATION + share * rest


def _trial(config: RunConfig, folder: Path, budget: int) -> Timing | None:
    """Return how long a run took, in a process of its own; None if it failed."""
    trial = replace(
        config,
        steps_per_task=budget,
        trainer=replace(config.trainer, max_steps=None, val_check_interval=budget),
        callbacks=replace(config.callbacks, progress=False),
        overwrite=False,
        save_weights=False,
        logger={},
    )
    folder.mkdir()
    for _ in Workers(1, try_run, ["mtl_bench.training.run"]).run([Trial(trial, folder)]):
        pass
    record = read_record(folder)
    if record is None or record.status != "finished":
        return None
    wall, training = (float(record.timings[f"{name}_seconds"]) for name in ("wall", "train"))
    return Timing(record.steps_done, training, wall - training)


def try_run(trial: Trial) -> Outcome:
    """Train the run of a trial."""
    from mtl_bench.config.compose import register
    from mtl_bench.training.run import run

    # What a trial prints would be taken for the sweep's.
    redirect_output(trial.folder / "log.txt")
    register()
    run(trial.config, trial.folder)
    return "done"
