"""The gains of a sweep, from the values of its runs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev

import pandas as pd

from mtl_bench.analysis.data.frame import (
    StudiedMetric,
    has_result,
    studied_metrics,
    values_frame,
)
from mtl_bench.analysis.gains.gain import Gain
from mtl_bench.analysis.gains.paired_scores import PairedScores, paired_scores
from mtl_bench.analysis.gains.uncertainty import late_means, with_errors, with_late
from mtl_bench.runs.sweep_folder import RunStatus, read_sweep


def measured_gains(
    values: pd.DataFrame, metrics: Mapping[str, StudiedMetric], budget: float
) -> list[Gain]:
    """Return the gains at a budget, with their noise, ordered by main task and auxiliary.

    Args:
        values: of the runs of a sweep.
        metrics: that gains are of, by main task.
        budget: steps per task; runs that were trained to less are left out.
    """
    lates = late_means(values, metrics, budget)
    gains = [
        with_late(gain_of(scores, metrics[scores.main], budget), scores, lates, metrics)
        for scores in paired_scores(values, metrics, budget)
    ]
    return with_errors(gains)


def gain_of(scores: PairedScores, metric: StudiedMetric, budget: float) -> Gain:
    """Return the gain of paired scores, without its noise."""
    percent = list(scores.percent(metric.sign).values())
    single, pair = fmean(scores.single.values()), fmean(scores.pair.values())
    return Gain(
        main=scores.main,
        aux=scores.aux,
        variant=scores.variant,
        metric=metric.name,
        split=scores.split,
        budget=budget,
        seeds=len(scores.pair),
        single=single,
        pair=pair,
        points=metric.scale * metric.sign * (pair - single),
        gain_percent=fmean(percent) if percent else math.nan,
        seed_sd=stdev(percent) if len(percent) > 1 else None,
    )


def asked_budgets(statuses: Iterable[RunStatus]) -> list[float]:
    """Return the budgets that a sweep was asked for, and those that its runs were trained to."""
    # A run capped by `trainer.max_steps` ends at a budget that was not asked for.
    return sorted(
        {budget for status in statuses for budget in status.run.budgets}
        | {status.record.budget for status in statuses if status.record and has_result(status)}
    )


def gains_frame(
    sweep: Path,
    statuses: Sequence[RunStatus] | None = None,
    *,
    metric: str | None = None,
    budgets: Sequence[float] | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the gains of a sweep: a row for each pair or set, variant and budget.

    Args:
        sweep: its folder.
        statuses: its runs, if they have been read.
        metric: that gains are of; None for each main task's primary metric.
        budgets: None for those that the sweep was asked for.

    Returns:
        A frame whose columns are the fields of `Gain`, and a line for each run whose record or
        curve is missing or damaged: it is in no gain.
    """
    statuses = read_sweep(sweep) if statuses is None else statuses
    metrics = studied_metrics(statuses, metric)
    values, problems = values_frame(sweep, statuses, metrics=metrics)
    rows = [
        asdict(gain)
        for budget in (asked_budgets(statuses) if budgets is None else budgets)
        for gain in measured_gains(values, metrics, budget)
    ]
    return pd.DataFrame(rows, columns=list(Gain.__dataclass_fields__)), problems


def seeds_left_out(values: pd.DataFrame, gains: Iterable[Gain], budget: float) -> int:
    """Return how many seeds, at most, are not in a gain though both of its runs reach the budget.

    A gain is of one split and of equal steps. Where some runs end at the budget, and others go on,
    their evaluations may be of different splits: `paired_scores` then takes those that end.
    """
    finals = values[values["final"] & (values["budget"] >= budget - 1e-6)]
    seeds = {key: set(of) for key, of in finals.groupby(["variant", "tasks"])["seed"]}
    counts = [
        len(
            seeds[gain.variant, "+".join(sorted([gain.main, *gain.aux.split("+")]))]
            & seeds[gain.variant, gain.main]
        )
        - gain.seeds
        for gain in gains
    ]
    return max(counts, default=0)


def missing_singles(
    statuses: Iterable[RunStatus], mains: Collection[str] = ()
) -> dict[str, set[str]]:
    """Return the main tasks of finished runs whose own single run is not finished, by variant.

    A pair is recorded with one of its tasks as the main task; the other is one as well if a run of
    it alone was asked for.

    Args:
        statuses: of the runs.
        mains: main tasks to look at, where the runs of these alone were read; empty for all.
    """
    statuses = list(statuses)
    asked = {(s.run.variant, s.run.tasks[0]) for s in statuses if len(s.run.tasks) == 1}
    alone, beside = set(), set()
    for status in statuses:
        if status.record and has_result(status):
            variant, tasks = status.run.variant, status.run.tasks
            if len(tasks) == 1:
                alone.add((variant, tasks[0]))
            else:
                beside.add((variant, status.record.main))
                beside |= asked & {(variant, task) for task in tasks}
    missing: dict[str, set[str]] = defaultdict(set)
    for variant, main in beside - alone:
        if not mains or main in mains:
            missing[variant].add(main)
    return dict(missing)
