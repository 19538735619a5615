"""Everything that runs measured, as one long pandas frame: a row for each value.

| column | what |
|---|---|
| `run` | folder below the sweep's |
| `main`, `variant`, `seed` | of the run |
| `tasks` | of the run, sorted and joined by `+` |
| `task` | whose value it is |
| `step` | of the run, when the value was taken |
| `budget` | steps per task done by then |
| `split` | `train` (losses), `data` (statistics of the corpus), or the one evaluated |
| `metric` | `loss`, a metric of the task, or the name of a statistic |
| `value` | as the record has it |
| `final` | whether it is of the evaluation that ended the run; its budget is the run's |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mtl_bench.errors import UserError
from mtl_bench.runs.curve import CurveRow
from mtl_bench.runs.record import Metric, Record
from mtl_bench.runs.record_reading import curve_of
from mtl_bench.runs.sweep_folder import RunStatus, SweepRun

OF_A_RUN = ["run", "main", "variant", "tasks", "seed"]
OF_A_VALUE = ["task", "step", "budget", "split", "metric", "value", "final"]
COLUMNS = [*OF_A_RUN, *OF_A_VALUE]
TRAIN, DATA = "train", "data"


@dataclass(frozen=True)
class StudiedMetric:
    """The metric of a task that gains are of.

    Attributes:
        name: in records and curves.
        title: what people call it.
        higher_is_better: if not, a gain is a decrease.
        is_share: whether values are from 0 to 1, and shown in percent.
    """

    name: str
    title: str
    higher_is_better: bool = True
    is_share: bool = True

    @property
    def scale(self) -> int:
        """What values are multiplied by to be shown: scores from 0 to 1 are shown in percent."""
        return 100 if self.is_share else 1

    @property
    def unit(self) -> str:
        """What stands behind a value that is shown."""
        return " %" if self.is_share else ""

    def text(self, value: float) -> str:
        """Return a value as it is shown.

        >>> error = StudiedMetric("mse", "error", higher_is_better=False, is_share=False)
        >>> StudiedMetric("f1", "F1").text(0.49), error.text(2.0)
        ('49.0 %', '2')
        """
        return f"{100 * value:.1f} %" if self.is_share else f"{value:.4g}"

    @property
    def sign(self) -> int:
        """What a difference is multiplied by so that an improvement is above 0."""
        return 1 if self.higher_is_better else -1


def has_result(status: RunStatus) -> bool:
    """Return whether a run was finished, if only to a smaller budget than is asked for now."""
    return status.record is not None and status.record.status == "finished"


def studied_metrics(
    statuses: Iterable[RunStatus], metric: str | None = None
) -> dict[str, StudiedMetric]:
    """Return the metric that each task's gains are of.

    Args:
        statuses: runs of a sweep.
        metric: its name; None for each task's primary one. Tasks without it are left out.
    """
    metrics: dict[str, StudiedMetric] = {}
    for status in statuses:
        if status.record is None:
            continue
        for name, task in status.record.tasks.items():
            key = metric or task.primary
            of_task: Metric | None = task.metrics.get(key)
            if of_task:
                metrics[name] = StudiedMetric(key, **asdict(of_task))
    return metrics


def values_frame(
    sweep: Path,
    statuses: Iterable[RunStatus],
    *,
    all_losses: bool = False,
    metrics: Mapping[str, StudiedMetric] | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the values of all runs that have a result, and what is wrong with other runs.

    Args:
        sweep: its folder.
        statuses: runs of it.
        all_losses: whether to include the training losses of runs of several tasks, which are
            nine of ten rows, and which no study reads.
        metrics: by task; only their evaluations are included then, of which gains are.

    Returns:
        A frame with COLUMNS, and a line for each run whose record is damaged, or whose curve is
        missing or damaged.
    """
    rows: list[tuple[Any, ...]] = []
    problems = []
    for status in statuses:
        if status.state == "damaged":
            problems.append(str(status.problem))
        if status.record is None or not has_result(status):
            continue
        losses = all_losses or (metrics is None and len(status.run.tasks) == 1)
        try:
            curve = curve_of(status.record, sweep / status.run.folder, losses=losses)
        except UserError as error:
            problems.append(str(error))
            continue
        own = _rows(status.record, curve, metrics)
        rows += run_rows(status.run, status.record.main, own)
    return values_of(rows), problems


def run_rows(run: SweepRun, main: str, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one run, as COLUMNS say, of (task, step, split, metric, value, final)."""
    of_run = (run.folder, main, run.variant, "+".join(run.tasks), run.seed)
    # Steps are of all tasks together, budgets of one.
    count = len(run.tasks)
    for task, step, split, metric, value, final in rows:
        yield (*of_run, task, step, step / count, split, metric, value, final)


def values_of(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """Return the frame of the rows of runs."""
    if not rows:
        return pd.DataFrame(columns=COLUMNS).astype({"value": float, "final": bool})
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(
    record: Record, curve: Sequence[CurveRow], metrics: Mapping[str, StudiedMetric] | None
) -> Iterator[tuple[Any, ...]]:
    """Yield what a run measured; with `metrics` evaluations of these only."""
    wanted = {(task, metric.name) for task, metric in (metrics or {}).items()}
    for name, task in record.tasks.items() if metrics is None else ():
        for statistic, number in task.statistics.items():
            if number is not None:
                yield name, 0, DATA, statistic, float(number), False
    for row in (row for row in curve if row.task in record.tasks):
        for metric, value in row.values.items():
            if metrics is None or (row.task, metric) in wanted:
                yield row.task, row.step, row.split, metric, value, False
    for name, task in record.tasks.items():
        for metric, value in task.final.items():
            if metrics is None or (name, metric) in wanted:
                yield name, record.steps_done, task.final_split, metric, float(value), True


def evaluations(
    values: pd.DataFrame, metrics: Mapping[str, StudiedMetric], budget: float
) -> pd.DataFrame:
    """Return the evaluations of each task's studied metric up to a budget, in order of steps."""
    names = values["task"].map({task: metric.name for task, metric in metrics.items()})
    mask = (
        ~values["split"].isin([TRAIN, DATA])
        & (values["metric"] == names)
        # Thirds of steps are not exact.
        & (values["budget"] <= budget + 1e-6)
    )
    # A stable order keeps the final metric behind the last evaluation of the same step.
    return values[mask].sort_values("step", kind="stable")


def run_budgets(values: pd.DataFrame) -> pd.Series[float]:
    """Return the budget that each run was trained to, by run."""
    return values[values["final"]].groupby("run")["budget"].max()


def runs_frame(statuses: Iterable[RunStatus]) -> pd.DataFrame:
    """Return a row for each run: what it is, its state, and its final primary metrics.

    Columns are `run main tasks variant seed state budget steps_done problem` and, for each task,
    `<task>`: its primary metric.
    """
    rows = []
    for status in statuses:
        record, run = status.record, status.run
        tasks = record.tasks.items() if record and has_result(status) else ()
        rows.append(
            {
                "run": run.folder,
                "main": record.main if record else None,
                "tasks": "+".join(run.tasks),
                "variant": run.variant,
                "seed": run.seed,
                "state": status.state,
                "budget": record.budget if record else run.budgets[-1],
                "steps_done": record.steps_done if record else status.steps_done,
                "problem": status.problem,
                **{name: task.final[task.primary] for name, task in tasks},
            }
        )
    return pd.DataFrame(rows)
