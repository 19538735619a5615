"""What a study starts from: the values of finished runs, and the gains between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.data.frame import (
    StudiedMetric,
    evaluations,
    run_budgets,
    studied_metrics,
    values_frame,
)
from mtl_bench.analysis.data.single_runs import SingleRun, single_runs
from mtl_bench.analysis.gains.gain import Gain
from mtl_bench.analysis.gains.gains import measured_gains
from mtl_bench.runs.sweep_folder import RunStatus, all_tasks

SHOWN = 10  # runs that were not asked for, by name


@dataclass(frozen=True)
class LearningCurve:
    """The studied metric of a task over a run.

    Attributes:
        share: [E] of the budget that was done at each evaluation, 0 to 1.
        scores: [E] there.
    """

    share: Floats
    scores: Floats


@dataclass(frozen=True)
class Measurements:
    """The measurements of a study.

    Attributes:
        source: name and variant of the sweep.
        values: of all runs, see `frame`.
        metrics: that gains are of, by task.
        budget: steps per task at which runs are compared.
        all_gains: of all main tasks from single auxiliaries and sets of them, undefined ones too.
        missing: runs without which there are fewer gains, and why.
        released_features: of tasks, that stand for computed ones.
        loss_over: what training losses are means over: `words` or `positions`, padding included.
    """

    source: str
    values: pd.DataFrame
    metrics: Mapping[str, StudiedMetric]
    budget: float
    all_gains: Sequence[Gain]
    missing: Sequence[str] = ()
    released_features: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    loss_over: str = "words"

    @property
    def gains(self) -> list[Gain]:
        """The gains from one auxiliary task."""
        return [gain for gain in self.all_gains if gain.defined and "+" not in gain.aux]

    @property
    def sets(self) -> list[Gain]:
        """The gains from several auxiliary tasks at once."""
        return [gain for gain in self.all_gains if gain.defined and "+" in gain.aux]

    @property
    def undefined(self) -> list[Gain]:
        """The changes of main tasks that score 0 alone: points, and no percentage."""
        return [gain for gain in self.all_gains if not gain.defined]

    @property
    def metric_title(self) -> str:
        """What the metrics that gains are of are called, joined by `or`."""
        mains = {gain.main for gain in self.all_gains} or set(self.metrics)
        titles = {self.metrics[main].title for main in sorted(mains)}
        return " or ".join(sorted(titles)) or "the primary metric"

    def single_runs(self) -> list[SingleRun]:
        """Return the single runs that reach the budget."""
        return single_runs(self.values, self.budget)

    def scores_alone(self) -> dict[str, float]:
        """Return each task's score in its single runs at the budget, mean over seeds.

        That is the final metric of runs that ended there; if none did, the last evaluation.
        """
        rows = evaluations(self.values, self.metrics, self.budget)
        reaches = rows["run"].map(run_budgets(self.values)) >= self.budget - 1e-6
        rows = rows[(rows["tasks"] == rows["task"]) & reaches]
        finals = rows["final"] & ((rows["budget"] - self.budget).abs() < 1e-6)
        # They may be of another split than evaluations, and are not mixed.
        rows = rows[finals | ~(rows["final"] | finals.groupby(rows["task"]).transform("any"))]
        last = rows.groupby(["task", "run"])["value"].last()
        return {str(task): float(mean) for task, mean in last.groupby("task").mean().items()}

    def curves(self) -> dict[tuple[str, str], LearningCurve]:
        """Return the curves of each run (`a` or `a+b`) and task: means over its seeds.

        Seeds count whose runs reach the budget; if none does, those that come furthest.
        """
        rows = evaluations(self.values, self.metrics, self.budget)
        rows = rows[~rows["final"]]
        reached = rows.groupby(["tasks", "task", "seed"])["step"].transform("max")
        furthest = reached.groupby([rows["tasks"], rows["task"]]).transform("max")
        points = (
            rows[reached == furthest]
            .groupby(["tasks", "task", "step"])
            .agg(budget=("budget", "first"), value=("value", "mean"), seeds=("seed", "nunique"))
            .reset_index()
        )
        # Evaluations at steps that another seed lacks would make a mean jump.
        points = points[
            points["seeds"] == points.groupby(["tasks", "task"])["seeds"].transform("max")
        ]
        return {
            (str(key[0]), str(key[1])): LearningCurve(
                own["budget"].to_numpy(np.float64) / self.budget,
                own["value"].to_numpy(np.float64),
            )
            for key, own in points.groupby(["tasks", "task"])
        }

    @property
    def repeated(self) -> bool:
        """Whether every gain from one auxiliary has several seeds."""
        return bool(self.gains) and all(gain.seeds > 1 for gain in self.gains)

    @cached_property
    def other_seeds(self) -> Measurements:
        """The same runs without the first seed, if every gain has others; else all of them.

        Early gains of the first seed are compared with these: with the end of the same runs they
        have in common what differs between seeds by chance.
        """
        if not self.repeated:
            return self
        first = self.values.groupby("tasks")["seed"].transform("min")
        values = self.values[self.values["seed"] != first]
        gains = measured_gains(values, self.metrics, self.budget)
        return replace(self, values=values, all_gains=gains)

    def steps(self) -> tuple[int, int]:
        """Return the steps of single runs to the budget, and those of single and pair runs."""
        counts = [len(tasks.split("+")) for tasks in self.values["tasks"].unique()]
        counts = [count for count in counts if count <= 2]
        alone = sum(count == 1 for count in counts)
        return round(alone * self.budget), round(sum(counts) * self.budget)

    def fingerprint(self) -> str:
        """Return a checksum of all that predictions are made of."""
        losses = [(run.task, run.statistics, run.losses) for run in self.single_runs()]
        # Without evaluations, of which there are thousands: gains hold what scores need of them.
        gains = [(gain.main, gain.aux, gain.gain_percent, gain.label) for gain in self.gains]
        return str(joblib.hash((gains, self.released_features, losses)))


def sweep_measurements(
    source: str,
    sweep: Path,
    statuses: Sequence[RunStatus],
    metric: str | None = None,
    budget: float | None = None,
) -> Measurements:
    """Return what the runs of one variant of a sweep measured.

    Args:
        source: what to call them.
        sweep: its folder.
        statuses: the variant's runs.
        metric: that gains are of; None for each task's primary one.
        budget: at which runs are compared; None for the one with the most gains.
    """
    values, problems = values_frame(sweep, statuses)
    metrics = studied_metrics(statuses, metric)
    budgets = sorted(set(run_budgets(values)))
    gains_at = {
        each: measured_gains(values, metrics, each)
        for each in (budgets if budget is None else [budget])
    }
    # A sweep that is being extended has most of its pairs at the smaller budget.
    best = max(gains_at, key=lambda each: (len(gains_at[each]), each), default=0.0)
    return Measurements(
        source,
        values,
        metrics,
        best,
        gains_at.get(best, []),
        [*problems, *_missing(statuses)],
        loss_over=loss_over(statuses),
    )


def loss_over(statuses: Sequence[RunStatus]) -> str:
    """Return what the training losses of runs of one variant are means over."""
    records = [status.record for status in statuses if status.record]
    # Records from before there was a choice lack the key.
    return next((str(r.setting("model.loss_over") or "words") for r in records), "words")


def _missing(statuses: Sequence[RunStatus]) -> list[str]:
    """Name runs that are not finished, and pairs that were not asked for."""
    lines = [
        f"{status.run.folder}: {(status.problem or status.state).splitlines()[0]}"
        for status in statuses
        if status.state not in ("finished", "damaged")  # `values_frame` names these
    ]
    sets = Counter(status.run.tasks for status in statuses)
    tasks = all_tasks(statuses)
    possible = [*((task,) for task in tasks), *combinations(tasks, 2)]
    absent = ["+".join(names) for names in possible if names not in sets]
    if absent:
        names = ", ".join(absent[:SHOWN]) + (", ..." if len(absent) > SHOWN else "")
        lines.append(f"{len(absent)} of {len(possible)} runs are not part of the sweep: {names}")
    return lines
