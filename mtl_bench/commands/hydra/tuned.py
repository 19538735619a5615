"""The answer of a tuning sweep: gains of tuned sets, and of untuned ones, over single tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtl_bench.analysis.gains.gain import signed
from mtl_bench.analysis.gains.paired_scores import LEVEL, PairedGain, paired_gain
from mtl_bench.files import write_atomically
from mtl_bench.runs.record import Metric, Record
from mtl_bench.runs.record_reading import curve_of
from mtl_bench.sweeps.tuning import SetTuning

TUNED = "tuned.json"


def dev_score(record: Record, folder: Path, main: str, budget: float) -> float:
    """Return the best primary metric of a task on the split of the curve; higher is better.

    It is what `keep=best` selects weights by. The run may have been trained for another main task,
    and for longer.

    Args:
        record: of the run.
        folder: of the run.
        main: task.
        budget: steps per task, after which evaluations do not count.
    """
    task = record.tasks[main]
    sign = 1 if task.metrics[task.primary].higher_is_better else -1
    split = record.setting("data.eval_split")
    values = [
        sign * row.values[task.primary]
        for row in curve_of(record, folder)
        if row.task == main
        and row.split == split
        and row.step <= budget * len(record.tasks) + 1e-6
        and task.primary in row.values
    ]
    return max(values, default=-np.inf)


@dataclass(frozen=True)
class SetScores:
    """What the runs of a task set scored.

    Attributes:
        tasks: of the set, sorted.
        overrides: of the best trial.
        trials: how many were trained.
        untuned: final primary metric of the main task by seed.
        tuned: the same with the overrides.
    """

    tasks: tuple[str, ...]
    overrides: tuple[str, ...]
    trials: int
    untuned: Mapping[int, float]
    tuned: Mapping[int, float]


Run = tuple[str, tuple[str, ...], bool, int]
"""Main task, tasks, whether it has the best trial's options, and seed."""


def gathered(
    tunings: Mapping[str, Sequence[SetTuning]], runs: Sequence[tuple[Run, Record]]
) -> dict[str, list[SetScores]]:
    """Return the scores of all sets by main task, and print a table of each.

    Args:
        tunings: of the sets, by main task, its single task first.
        runs: those that are finished, with their records.
    """
    scores: dict[tuple[str, tuple[str, ...], bool], dict[int, float]] = {}
    metrics: dict[str, Metric] = {}
    for (main, tasks, is_tuned, seed), record in runs:
        task = record.tasks[main]
        metrics[main] = task.metrics[task.primary]
        scores.setdefault((main, tasks, is_tuned), {})[seed] = task.final[task.primary]
    result = {}
    for main, of_main in tunings.items():
        result[main] = [
            SetScores(
                tuning.tasks,
                best.overrides if (best := tuning.best()) else (),
                len(tuning.trials),
                scores.get((main, tuning.tasks, False), {}),
                scores.get((main, tuning.tasks, True), {}),
            )
            for tuning in of_main
        ]
        if metric := metrics.get(main):
            sign = 1 if metric.higher_is_better else -1
            print(f"\n{summary(main, metric.title, sign, result[main])}")
    return result


def summary(main: str, metric: str, sign: int, sets: Sequence[SetScores]) -> str:
    """Return the table of a main task, and the gains below it.

    Args:
        main: the main task.
        metric: title of its primary metric.
        sign: -1 where lower is better.
        sets: the single task first.
    """
    names = ["+".join(each.tasks) for each in sets]
    width = max(map(len, [*names, "tasks"]))
    lines = [f"{main}: final {metric}, mean (sd) over seeds; selected on dev, in equal trials"]
    lines.append(f"  {'tasks':<{width}}  {'untuned':<15}  {'tuned':<15}  trials  options")
    for name, each in zip(names, sets, strict=True):
        options = " ".join(each.overrides)
        lines.append(
            f"  {name:<{width}}  {_mean(each.untuned):<15}  {_mean(each.tuned):<15}  "
            f"{each.trials:<6}  {options}"
        )
    single = sets[0]
    lines.append(
        f"  tuning gains {main} alone {_text(paired_gain(single.untuned, single.tuned, sign))}"
    )
    for each in sets[1:]:
        aux = "+".join(task for task in each.tasks if task != main)
        lines.append(f"  {aux}, untuned: {_text(paired_gain(single.untuned, each.untuned, sign))}")
        lines.append(f"  {aux}, tuned:   {_text(paired_gain(single.tuned, each.tuned, sign))}")
    return "\n".join(lines)


def _text(gain: PairedGain) -> str:
    if not gain.seeds:
        return "not known: a single task scored 0, or no run was finished"
    interval = f"{signed(gain.low)} .. {signed(gain.high)}" if gain.seeds > 1 else "not known"
    return f"{signed(gain.mean)} % ({LEVEL:.0%} interval {interval}, {gain.seeds} seeds)"


def _mean(scores: Mapping[int, float]) -> str:
    values = list(scores.values())
    if not values:
        return "-"
    deviation = f" ({np.std(values, ddof=1):.4f})" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{deviation}"


def write_summary(sweep: Path, sets: Mapping[str, Sequence[SetScores]]) -> None:
    """Write the scores of all sets by main task, as JSON."""
    content = {
        main: [
            {
                "tasks": list(each.tasks),
                "overrides": list(each.overrides),
                "trials": each.trials,
                "untuned": dict(each.untuned),
                "tuned": dict(each.tuned),
            }
            for each in of_main
        ]
        for main, of_main in sets.items()
    }
    write_atomically(sweep / TUNED, json.dumps(content, indent=1) + "\n")
