"""From the curves of a main task to what the model takes: candidates, noise, constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mtl_bench.analysis.gains.uncertainty import late_mean
from mtl_bench.analysis.recommend.observations import Curve, SweepCurves
from mtl_bench.analysis.recommend.settings import BETA, Candidate, Noise, Settings

WEAK = 4.0
"""Degrees of freedom of the prior of noise: as much as five seeds would tell."""

ASSUMED = Noise(1.5, 1.5)
"""Where nothing tells: on six corpora with a pretrained encoder and three seeds, 0.1 to 2.5 percent
were measured for a pair run (median 0.6), and up to 1.2 for the single run."""


def points_of(curves: SweepCurves, scale: int) -> float:
    """Return the points of the metric that one percent of gain is.

    Args:
        curves: of the main task.
        scale: what the metric is multiplied by to be shown.
    """
    return scale * curves.score_alone() / 100


def settings_of(prior: Mapping[str, float]) -> Settings:
    """Return the constants of the model; without a record, p_i tell nothing."""
    return Settings(beta=BETA if any(prior.values()) else 0.0)


def observed(
    curves: SweepCurves | None, names: Sequence[str], prior: Mapping[str, float]
) -> tuple[Candidate, ...]:
    """Return candidates as far as they are trained, each at the longest budget of its seeds.

    Args:
        curves: of the main task; None if nothing is trained.
        names: of the candidates.
        prior: p_i by candidate.
    """
    candidates = []
    for name in names:
        candidate = Candidate(name, prior=prior.get(name, 0.0))
        runs = curves.beside.get(name, {}) if curves else {}
        if curves and (ends := [_share(curves, seed, run) for seed, run in runs.items()]):
            share = max(ends)
            gains = curves.gains(name, share) if share else {}
            gains = {seed: gain for seed, gain in gains.items() if curves.settled(seed, share)}
            mean = float(np.mean(list(gains.values()))) if gains else float("nan")
            candidate = replace(candidate, share=share, gain=mean, seeds=len(gains))
        candidates.append(candidate)
    return tuple(candidates)


def _share(curves: SweepCurves, seed: int, run: Curve) -> float:
    """Return the share of the budget to which a pair run and its single run are trained."""
    alone = curves.alone.get(seed)
    share = min(run.end, alone.end) / curves.budget if alone else 0.0
    return 1.0 if share > 0.99 else share


def noise_of(curves: SweepCurves | None) -> Noise:
    """Return the noise of one gain of one seed: of those that have several, and a weak prior.

    The prior is the scatter of late evaluations, as far as there are runs at the end. On six
    corpora with a pretrained encoder and three seeds it was 0.6 to 1.6 times the standard deviation
    over seeds of a pair run. The part that all candidates of a seed share is told from the rest by
    an analysis of variance over candidates and seeds; where no two candidates have two seeds in
    common, the shares of both are those of the prior.

    Args:
        curves: of the main task; None if nothing is trained.
    """
    if curves is None:
        return ASSUMED
    weak = _by_scatter(curves)
    gains = {name: curves.gains(name, 1.0) for name in curves.candidates}
    gains = {name: own for name, own in gains.items() if len(own) > 1}
    if not gains:
        return weak
    seeds = _most_shared(gains)
    table = np.array([[own[s] for s in seeds] for own in gains.values() if own.keys() >= {*seeds}])
    if len(table) < 2:
        own = sum(float(np.var(list(each.values())) * len(each)) for each in gains.values())
        degrees = sum(len(each) - 1 for each in gains.values())
        factor = math.sqrt((WEAK + own / weak.of_gain**2) / (WEAK + degrees))
        return Noise(factor * weak.own, factor * weak.shared, "seeds")
    count, repeats = table.shape
    rest = table - table.mean(1, keepdims=True)
    of_seed = rest.mean(0)
    own = float(((rest - of_seed) ** 2).sum())
    degrees = (count - 1) * (repeats - 1)
    own_variance = (WEAK * weak.own**2 + own) / (WEAK + degrees)
    shared = max(0.0, float((of_seed**2).sum()) / (repeats - 1) - own_variance / count)
    shared_variance = (WEAK * weak.shared**2 + shared * (repeats - 1)) / (WEAK + repeats - 1)
    return Noise(math.sqrt(own_variance), math.sqrt(shared_variance), "seeds")


def _most_shared(gains: Mapping[str, Mapping[int, float]]) -> list[int]:
    """Return the seeds, two or more, that most candidates have; of such sets the largest."""
    every = [frozenset(own) for own in gains.values()]
    sets: set[frozenset[int]] = {one & other for one in every for other in every}
    ranked = sorted(
        (sum(each <= own for own in every), len(each), sorted(each))
        for each in sets
        if len(each) > 1
    )
    return ranked[-1][2]


def _by_scatter(curves: SweepCurves) -> Noise:
    """Return the noise by the scatter of late evaluations of the runs at the end.

    It is the median over runs, drawn towards what is assumed, as if that had been seen with WEAK
    degrees of freedom. Single runs count beside pairs.
    """
    runs = [run for own in (curves.alone, *curves.beside.values()) for run in own.values()]
    lates = [late_mean(run.scores) for run in runs if run.reaches(curves.budget)]
    ends = [
        late for late in lates if late and late.mean and np.isfinite([late.mean, late.sd]).all()
    ]
    if not ends:
        return ASSUMED
    scatter = float(np.median([100 * late.sd / abs(late.mean) for late in ends]))
    degrees = sum(late.degrees_of_freedom for late in ends)
    square = (WEAK * ASSUMED.own**2 + degrees * scatter**2) / (WEAK + degrees)
    return Noise(math.sqrt(square), math.sqrt(square), "late evaluations")
