"""Whether estimates agree with gains: estimators on the same pairs, with their costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.evaluation.folds import Folds
from mtl_bench.analysis.evaluation.metrics import METRICS, tally
from mtl_bench.analysis.evaluation.partial_runs import PILOTS, pilot_gains
from mtl_bench.analysis.evaluation.permutation import holm, share_as_high, task_permutations
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.measurements import Measurements
from mtl_bench.analysis.ranks import rank_correlations
from mtl_bench.analysis.recommend.prior import priors

Scores = Mapping[tuple[str, str], float]
"""By main task and auxiliary: the higher, the more the auxiliary is expected to help; nan where an
estimator has no opinion."""


@dataclass(frozen=True)
class Estimate:
    """What an estimator says of pairs.

    Attributes:
        name: of the estimator.
        scores: of all pairs.
        steps: that it costs, those of runs that it learns from left out.
        seconds: of one process; None: those of its steps.
        tested: whether it has a p-value: not if it was learned from the gains that it is scored by,
            or is of the same runs.
    """

    name: str
    scores: Scores
    steps: int
    seconds: float | None = None
    tested: bool = True


@dataclass(frozen=True)
class EstimatorScore:
    """How well an estimator orders the auxiliaries of each main task.

    Attributes:
        estimate: what is scored.
        values: by metric of `metrics.METRICS`, means over main tasks.
        low: lower ends of 95 percent intervals over main tasks.
        high: upper ends.
        correlations: with the gains of each main task, in their order.
        p: how often the mean rank correlation is as high when the tasks of its scores are
            permuted; None for what is not tested, or if a pair is missing.
        p_corrected: for the number of estimators.
    """

    estimate: Estimate
    values: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    correlations: Sequence[float] = ()
    p: float | None = None
    p_corrected: float | None = None


def common_pairs(measurements: Measurements, estimates: Sequence[Estimate]) -> Table:
    """Return the pairs, with their labels, of which every estimate says something.

    Main tasks with one such auxiliary are left out: there is nothing to order.

    Args:
        measurements: whose gains they are.
        estimates: those that say nothing of any pair are not asked.
    """
    opinions = [e.scores for e in estimates if any(map(math.isfinite, e.scores.values()))]
    gains = {
        (gain.main, gain.aux): gain.label
        for gain in measurements.gains
        if all(math.isfinite(each.get((gain.main, gain.aux), math.nan)) for each in opinions)
    }
    mains = [main for main, _ in gains]
    pairs = sorted(pair for pair in gains if mains.count(pair[0]) > 1)
    return Table(
        tuple(main for main, _ in pairs),
        tuple(aux for _, aux in pairs),
        np.array([gains[pair] for pair in pairs]),
        (),
        np.empty((len(pairs), 0)),
    )


def from_runs(measurements: Measurements, table: Table) -> list[Estimate]:
    """Return the estimates that runs of some pairs give: their first part, and other main tasks.

    A part of the runs that has no gain of some pair is left out.
    """
    gains = dict(zip(table.pairs(), table.gain.tolist(), strict=True))
    elsewhere: dict[tuple[str, str], float] = {}
    for main in table.tasks():
        candidates = [aux for other, aux in gains if other == main]
        prior = priors(gains, main, candidates)
        # Where the record has no candidate, all are 0, and nothing is said.
        for aux in candidates:
            elsewhere[main, aux] = prior[aux] if any(prior.values()) else math.nan
    sets = {frozenset(pair) for pair in table.pairs()}
    steps = measurements.budget * (2 * len(sets) + len(table.tasks()))
    estimates = [Estimate("record elsewhere", elsewhere, 0, 0.0, tested=False)]
    for percent in PILOTS:
        early = pilot_gains(measurements, table.pairs(), percent)
        if np.isfinite(early).all():
            scores = dict(zip(table.pairs(), early, strict=True))
            cost = round(steps * percent / 100)
            name, tested = f"early gains, {percent} %", measurements.repeated
            estimates.append(Estimate(name, scores, cost, tested=tested))
    return estimates


def score_estimates(table: Table, estimates: Sequence[Estimate]) -> list[EstimatorScore]:
    """Return the scores of estimators on the same pairs; nan of those that say nothing of some."""
    scores = [_score(table, estimate) for estimate in estimates]
    tested = [n for n, score in enumerate(scores) if score.p is not None]
    corrected = holm([scores[n].p or 0.0 for n in tested])
    for number, p in zip(tested, corrected, strict=True):
        scores[number] = replace(scores[number], p_corrected=p)
    return scores


def _score(table: Table, estimate: Estimate) -> EstimatorScore:
    of_pairs = np.array([estimate.scores.get(pair, np.nan) for pair in table.pairs()])
    if not len(table) or not np.isfinite(of_pairs).all():
        nothing = dict.fromkeys(METRICS, math.nan)
        return EstimatorScore(estimate, nothing, nothing, nothing)
    # A fold for each main task; nothing is learned, so that nothing is held out.
    test = np.array([[main == task for main in table.main] for task in table.tasks()])
    counts = tally(table, Folds(~test, test), np.repeat(of_pairs[None], len(test), axis=0))
    p = _permutation_p(table, estimate.scores) if estimate.tested else None
    return EstimatorScore(estimate, *counts.with_intervals(), counts.ranking[:, 0].tolist(), p)


def _permutation_p(table: Table, scores: Scores) -> float | None:
    values = task_permutations(scores, table.pairs())
    if not np.isfinite(values).all():
        return None
    return share_as_high(np.mean(_correlations(table, values), axis=0))


def _correlations(table: Table, values: Floats) -> list[Floats]:
    """Return, for each main task, [D] the rank correlations of [D, N] with its gains."""
    mains = np.array(table.main)
    own = [mains == task for task in table.tasks()]
    return [rank_correlations(values[:, each], table.gain[each]) for each in own]
