"""Whether estimates agree with gains: estimators on the same pairs, with their costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtl_bench.analysis.evaluation import baselines
from mtl_bench.analysis.evaluation.folds import unseen_main
from mtl_bench.analysis.evaluation.metrics import METRICS, rank_correlations, tally, task_interval
from mtl_bench.analysis.evaluation.partial_runs import PILOTS, pilot_gains
from mtl_bench.analysis.evaluation.permutation import holm
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.measurements import Measurements

DRAWS = 999
"""Permutations of the tasks; the true order is counted, too."""

Scores = Mapping[tuple[str, str], float]
"""By main task and auxiliary; the higher, the better is the auxiliary expected to be."""


@dataclass(frozen=True)
class Estimate:
    """What an estimator says of pairs.

    Attributes:
        name: of the estimator.
        scores: of all pairs.
        steps: that it costs, those of runs that it learns from left out.
        seconds: of one process; None: those of its steps.
        learns: whether it was fitted to gains of other main tasks, whose runs cost as well.
    """

    name: str
    scores: Scores
    steps: int
    seconds: float | None = None
    learns: bool = False


@dataclass(frozen=True)
class EstimatorScore:
    """How well an estimator orders the auxiliaries of each main task.

    Attributes:
        estimate: what is scored.
        values: by metric of `metrics.METRICS`, means over main tasks.
        low: lower ends of 95 percent intervals over main tasks.
        high: upper ends.
        p: how often the mean rank correlation is as high when the tasks of its scores are
            permuted; None for what was learned from the gains.
        p_corrected: for the number of estimators.
    """

    estimate: Estimate
    values: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    p: float | None = None
    p_corrected: float | None = None


def gains_table(measurements: Measurements) -> Table:
    """Return the pairs and labels of some runs, without features."""
    gains = {(gain.main, gain.aux): gain.label for gain in measurements.gains}
    pairs = sorted(gains)
    return Table(
        tuple(main for main, _ in pairs),
        tuple(aux for _, aux in pairs),
        np.array([gains[pair] for pair in pairs]),
        (),
        np.empty((len(pairs), 0)),
    )


def from_runs(measurements: Measurements, table: Table) -> list[Estimate]:
    """Return the estimates that a sweep's own runs give: its first part, and other main tasks."""
    record = baselines.mean_gain_of_aux(table, unseen_main(table).train)
    by_fit = zip(unseen_main(table).test, record, strict=True)
    scores = {table.pairs()[n]: float(row[n]) for test, row in by_fit for n in np.flatnonzero(test)}
    _, steps = measurements.steps()
    estimates = [Estimate("record elsewhere", scores, 0, 0.0, learns=True)]
    for percent in PILOTS:
        gains = pilot_gains(measurements, table.pairs(), percent)
        if np.isfinite(gains).all():
            own = dict(zip(table.pairs(), gains, strict=True))
            name = f"early gains, {percent} %"
            estimates.append(Estimate(name, own, round(steps * percent / 100)))
    return estimates


def score_estimates(table: Table, estimates: Sequence[Estimate]) -> list[EstimatorScore]:
    """Return the scores of estimators on some pairs; pairs of which one says nothing are left out.

    The p-value is that of a permutation of tasks (Mantel, 1967): whose row and column a score
    stands in is drawn at random, so that scores that share a task stay together.
    """
    scores = [_score(table, estimate) for estimate in estimates]
    tested = [n for n, score in enumerate(scores) if score.p is not None]
    corrected = holm([scores[n].p or 0.0 for n in tested])
    for number, p in zip(tested, corrected, strict=True):
        scores[number] = replace(scores[number], p_corrected=p)
    return scores


def _score(table: Table, estimate: Estimate) -> EstimatorScore:
    of_pairs = np.array([estimate.scores.get(pair, np.nan) for pair in table.pairs()])
    seen = np.isfinite(of_pairs)
    own = Table(
        tuple(np.array(table.main)[seen].tolist()),
        tuple(np.array(table.aux)[seen].tolist()),
        table.gain[seen],
        (),
        np.empty((int(seen.sum()), 0)),
    )
    if len(own.tasks()) < 2:
        nothing = dict.fromkeys(METRICS, float("nan"))
        return EstimatorScore(estimate, nothing, nothing, nothing)
    folds = unseen_main(own)
    counts = tally(own, folds, np.repeat(of_pairs[seen][None], len(folds.train), axis=0))
    values = counts.metrics()[0]
    low, high = task_interval(values, counts.resampled(), len(counts.counts))
    named = (dict(zip(METRICS, end.tolist(), strict=True)) for end in (values, low, high))
    of_values, of_low, of_high = named
    p = None if estimate.learns else _permutation_p(own, estimate.scores)
    return EstimatorScore(estimate, of_values, of_low, of_high, p)


def _permutation_p(table: Table, scores: Scores) -> float:
    tasks = sorted({*table.main, *table.aux})
    number = {task: n for n, task in enumerate(tasks)}
    matrix = np.full((len(tasks), len(tasks)), np.nan)
    for (main, aux), value in scores.items():
        if main in number and aux in number:
            matrix[number[main], number[aux]] = value
    rows = np.array([number[task] for task in table.main])
    columns = np.array([number[task] for task in table.aux])
    random = np.random.default_rng(0)
    orders = [np.arange(len(tasks)), *(random.permutation(len(tasks)) for _ in range(DRAWS))]
    values = np.array([matrix[order[rows], order[columns]] for order in orders])
    # What an estimator says nothing of comes last.
    values = np.nan_to_num(values, nan=float(np.nanmin(matrix)) - 1)
    mains = np.array(table.main)
    correlations = [
        rank_correlations(values[:, mains == task], table.gain[mains == task])
        for task in table.tasks()
    ]
    means = np.mean(correlations, axis=0)
    # The tolerance counts a permutation that changes nothing, whatever its rounding.
    return float((means >= means[0] - 1e-12).mean())
