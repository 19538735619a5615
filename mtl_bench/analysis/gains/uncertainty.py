"""How sure a gain is: repeated seeds, and the scatter of late evaluations."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import cast

import numpy as np
import pandas as pd

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.data.frame import StudiedMetric, evaluations
from mtl_bench.analysis.gains.gain import SHARED, Effect, Gain
from mtl_bench.analysis.gains.paired_scores import PairedScores, relative_change
from mtl_bench.analysis.student import detectable, quantile, two_sided_p

SHARE, FEWEST = 0.04, 5
"""Of the evaluations of a run, those that count as late."""

LEVEL, POWER = 0.05, 0.8
"""False discoveries among gains that are called clear; probability to show the smallest one."""

LateKey = tuple[str, str, str, int]
"""Variant, tasks, task, seed."""


@dataclass(frozen=True)
class LateMean:
    """The last evaluations of a task in a run.

    Attributes:
        split: on which they were.
        mean: of their metric.
        count: of these evaluations.
        sd: standard deviation of one of them around a straight line: short runs still learn.
        degrees_of_freedom: of that standard deviation.
    """

    split: str
    mean: float
    count: int
    sd: float
    degrees_of_freedom: int


def late_mean(scores: Floats, split: str = "") -> LateMean | None:
    """Return the mean of the last `SHARE` of evaluations, at least five; None if there are fewer.

    Args:
        scores: [E] of a task's evaluations, in order.
        split: on which they were.
    """
    last = scores[-max(FEWEST, round(SHARE * len(scores))) :]
    if len(last) < FEWEST:
        return None
    x = np.arange(len(last))
    residual = last - np.polyval(np.polyfit(x, last, 1), x)
    # The straight line has two parameters.
    degrees = len(last) - 2
    mean, sd = float(last.mean()), float(np.sqrt((residual**2).sum() / degrees))
    return LateMean(split, mean, len(last), sd, degrees)


def late_means(
    values: pd.DataFrame, metrics: Mapping[str, StudiedMetric], budget: float
) -> dict[LateKey, LateMean | None]:
    """Return the late evaluations up to a budget, by run and task."""
    rows = evaluations(values, metrics, budget)
    groups = rows[~rows["final"]].groupby(["variant", "tasks", "task", "seed"])
    return {
        # pandas-stubs: any hashable; here the four columns
        cast(LateKey, key): late_mean(own["value"].to_numpy(np.float64), str(own["split"].iloc[-1]))
        for key, own in groups
    }


def with_late(
    gain: Gain,
    scores: PairedScores,
    lates: Mapping[LateKey, LateMean | None],
    metrics: Mapping[str, StudiedMetric],
) -> Gain:
    """Return a gain with its late mean, and the scatter that late evaluations give it."""
    changes, own, shared, degrees, split, count = [], [], [], [], None, 1
    sign = metrics[gain.main].sign
    for seed in scores.percent(sign):
        single = lates.get((scores.variant, scores.main, scores.main, seed))
        pair = lates.get((scores.variant, scores.tasks, scores.main, seed))
        if single and pair and single.mean:
            split, count = pair.split, pair.count
            degrees.append(min(single.degrees_of_freedom, pair.degrees_of_freedom))
            changes.append(relative_change(single.mean, pair.mean, sign))
            # The error of a ratio, by its first derivatives.
            own.append((100 * pair.sd / single.mean) ** 2)
            shared.append((100 * single.sd * pair.mean / single.mean**2) ** 2)
    if not changes:
        return gain
    return replace(
        gain,
        late_percent=fmean(changes),
        late_split=split,
        evaluations=count,
        late_sd=math.sqrt(fmean(own) + fmean(shared)),
        degrees_of_freedom=min(degrees),
        shared=fmean(shared) / (fmean(own) + fmean(shared)) if sum(own) + sum(shared) else SHARED,
    )


def with_errors(gains: Sequence[Gain]) -> list[Gain]:
    """Return gains with standard errors, 95 percent intervals, p-values and effects.

    With several seeds the variance over seeds is pooled over the auxiliaries of a main task, and
    the interval is Student's (see `pooled`). The error never goes below the scatter of late
    evaluations, where these measure the same (`Gain.late_counts`); with one seed that is all there
    is, and what it leaves out (another start, another order of batches) makes intervals too narrow.

    Gains from one auxiliary and gains from sets are pooled apart.
    """
    pools: dict[tuple[str, str, bool], list[Gain]] = defaultdict(list)
    for gain in gains:
        pools[_pool(gain)].append(gain)
    of_pools = {key: pooled(own) for key, own in pools.items()}
    return controlled([_with_error(gain, *of_pools[_pool(gain)]) for gain in gains])


def pooled(gains: Sequence[Gain]) -> tuple[float, float]:
    """Return the standard deviation of a main task's gains over seeds, and its degrees of freedom.

    All gains of a seed are relative to one single run. Where that is as noisy as a pair run, two of
    them correlate by a half, and those from n auxiliaries with s seeds tell less of the variance
    than n (s - 1) independent deviations. The degrees of freedom are those of a chi-square with the
    same mean and variance (Satterthwaite, 1946): n (s - 1) / (1 + (n - 1) / 4) for equal seeds.
    """
    own = [(gain.seed_sd, gain.seeds - 1) for gain in gains if gain.seed_sd is not None]
    if not own:
        return 0.0, 0.0
    deviations, degrees = np.array(own).T
    total = degrees.sum()
    variance = (degrees * deviations**2).sum() / total
    # Of two gains, what both have: the seeds of the one with fewer.
    common = np.minimum.outer(degrees, degrees).sum() - total
    return math.sqrt(variance), float(total**2 / (total + SHARED**2 * common))


def controlled(gains: Sequence[Gain]) -> list[Gain]:
    """Return gains with effects, after false-discovery control over those of one variant.

    Of the gains that are called helpful or harmful, 5 percent are expected to have no effect. The
    procedure is that of Benjamini and Yekutieli (2001), which allows any dependence: gains share
    runs.
    """
    limits: dict[str, float] = {}
    for variant in {gain.variant for gain in gains}:
        values = sorted(g.p for g in gains if g.variant == variant and g.p is not None)
        count = len(values)
        harmonic = sum(1 / rank for rank in range(1, count + 1))
        limits[variant] = max(
            (p for rank, p in enumerate(values, 1) if p <= LEVEL * rank / (count * harmonic)),
            default=-1.0,
        )
    return [_with_effect(gain, limits[gain.variant]) for gain in gains]


def _with_effect(gain: Gain, limit: float) -> Gain:
    if gain.p is None:
        return gain
    effect: Effect = "undecided"
    if gain.p <= limit:
        effect = "helps" if gain.gain_percent > 0 else "hurts"
    return replace(gain, effect=effect)


def _pool(gain: Gain) -> tuple[str, str, bool]:
    return gain.variant, gain.main, "+" in gain.aux


def _with_error(gain: Gain, over_seeds: float, degrees: float) -> Gain:
    """Return a gain with the error that its pool of seeds and its late evaluations give it."""
    late = gain.late_sd if gain.late_counts or not degrees else None
    deviation = max(over_seeds, late or 0.0)
    if not deviation or not gain.defined:
        return gain
    error = deviation / math.sqrt(gain.seeds)
    label_error = error
    if gain.late_counts and late:
        # A mean of evaluations has less of their scatter, and all of what differs between seeds.
        # They are taken for independent, which those of one run are not quite.
        between = max(over_seeds**2 - late**2, 0.0)
        label_error = math.sqrt((between + late**2 / gain.evaluations) / gain.seeds)
    # Where late evaluations decide, the degrees of freedom of their residuals count.
    by_seeds = bool(degrees) and deviation == over_seeds
    of_width = degrees if by_seeds else gain.degrees_of_freedom
    width = error * quantile(0.975, of_width)
    return replace(
        gain,
        error=error,
        label_error=label_error,
        error_degrees=of_width,
        shared=SHARED if by_seeds else gain.shared,
        low=gain.gain_percent - width,
        high=gain.gain_percent + width,
        p=two_sided_p(gain.gain_percent / error, of_width),
        detectable=error * detectable(POWER, LEVEL, of_width),
    )
