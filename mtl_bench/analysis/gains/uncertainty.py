"""How sure a gain is: repeated seeds, the scatter of late evaluations, and what that allows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

import numpy as np
from scipy.stats import t

from mtl_bench.analysis.evaluation.folds import Folds
from mtl_bench.analysis.evaluation.metrics import METRICS, score_parts
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.gains.gains import Gain
from mtl_bench.runs.curve import CurveRow

Verdict = Literal["gain", "loss", "within noise", "not known"]
SHARE, FEWEST = 0.04, 5  # of the evaluations of a run, those that count as late


@dataclass(frozen=True)
class Late:
    """A task's last evaluations in a run: the mean of their F1, and how one scatters.

    `freedom`: degrees of freedom of that standard deviation.
    """

    mean: float
    sd: float
    freedom: int


def late(
    curve: Iterable[CurveRow], task: str, metric: str = "f1", share: float = SHARE
) -> Late | None:
    """Return the late evaluations of a task's metric; None if it has fewer than five.

    They are the last `share` of the run's, at least five. The standard deviation is that around a
    straight line, since short runs still learn.
    """
    rows = [row for row in curve if row.task == task and row.split != "train"]
    values = [value for row in rows if (value := row.values.get(metric)) is not None]
    last = np.array(values[-max(FEWEST, round(share * len(rows))) :])
    if len(last) < FEWEST:
        return None
    x = np.arange(len(last))
    residual = last - np.polyval(np.polyfit(x, last, 1), x)
    freedom = len(last) - 2
    return Late(float(last.mean()), float(np.sqrt((residual**2).sum() / freedom)), freedom)


@dataclass(frozen=True)
class Measured:
    """A directed gain and its noise; all in percent but scores (0 to 1) and points.

    Attributes:
        main: task.
        aux: task.
        seeds: pairs of runs that it comes from.
        single_f1: score of the main task alone, mean over seeds (of whichever metric gains are).
        pair_f1: beside the auxiliary task.
        gain: mean over seeds, from final evaluations.
        late: the same from the means of late evaluations.
        sd: standard deviation over seeds.
        floor: standard deviation of one gain due to the scatter of late evaluations alone.
        freedom: degrees of freedom of the floor.
        error: standard error of `gain`, see `with_errors`.
        low: lower end of its 95 percent interval.
        high: upper end.
        verdict: gain or loss if the interval excludes 0.
    """

    main: str
    aux: str
    seeds: int
    single_f1: float
    pair_f1: float
    gain: float
    late: float | None
    sd: float | None
    floor: float | None
    freedom: int
    error: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: Verdict = "not known"

    @property
    def points(self) -> float:
        """The absolute change, in points (hundredths)."""
        return 100 * (self.pair_f1 - self.single_f1)


def measured(gain: Gain, found: Mapping[tuple[str, int], Late | None]) -> Measured | None:
    """Return a gain with its noise; None if it is undefined (a single score of 0).

    Args:
        gain: of pair runs.
        found: late evaluations of the main task by set of tasks (`a` or `a+b`) and seed.
    """
    mean = gain.mean()
    if mean is None:
        return None
    pair = "+".join(sorted((gain.main, *gain.aux.split("+"))))
    changes, floors, freedoms = [], [], []
    for seed in gain.percent():
        single, both = found.get((gain.main, seed)), found.get((pair, seed))
        if single and both and single.mean > 0:
            freedoms.append(min(single.freedom, both.freedom))
            changes.append(100 * (both.mean - single.mean) / single.mean)
            floors.append(
                100 * math.hypot(both.sd, single.sd * both.mean / single.mean) / single.mean
            )
    return Measured(
        gain.main,
        gain.aux,
        len(gain.percent()),
        fmean(gain.single.values()),
        fmean(gain.multi.values()),
        mean,
        fmean(changes) if changes else None,
        gain.spread(),
        math.sqrt(fmean(f**2 for f in floors)) if floors else None,
        min(freedoms, default=1),
    )


def with_errors(gains: Sequence[Measured]) -> list[Measured]:
    """Return gains with standard errors, 95 percent intervals and verdicts.

    With several seeds the variance over seeds is pooled over the auxiliaries of a main task, and
    the interval is Student's with the degrees of freedom of the pool. The scatter of late
    evaluations is a floor that the error never goes below; with one seed it is all there is, and
    what it leaves out (another start, another order of batches) makes intervals too narrow.
    """
    squares: dict[str, float] = defaultdict(float)
    freedom: dict[str, int] = defaultdict(int)
    for gain in gains:
        if gain.sd is not None:
            squares[gain.main] += gain.sd**2 * (gain.seeds - 1)
            freedom[gain.main] += gain.seeds - 1
    result = []
    for gain in gains:
        known = freedom[gain.main]
        pooled = math.sqrt(squares[gain.main] / known) if known else 0.0
        deviation = max(pooled, gain.floor or 0.0)
        if not deviation:
            result.append(gain)
            continue
        error = deviation / math.sqrt(gain.seeds)
        # where the floor decides, the freedom of its residuals counts
        freedom_here = known if known and deviation == pooled else gain.freedom
        width = error * float(t.ppf(0.975, freedom_here))
        low, high = gain.gain - width, gain.gain + width
        verdict: Verdict = "gain" if low > 0 else "loss" if high < 0 else "within noise"
        result.append(replace(gain, error=error, low=low, high=high, verdict=verdict))
    return result


def ceiling(table: Table, errors: Sequence[float | None], draws: int = 200) -> dict[str, float]:
    """Return what a predictor would score that knew the true gains, given the noise of ours.

    True gains are drawn around the measured ones (normal, their standard errors); the predictor
    says the true gain, and is scored by the measured one. {} if an error is not known.
    """
    if any(error is None for error in errors):
        return {}
    width = np.array([error or 0.0 for error in errors])
    truths = np.random.default_rng(0).normal(table.gain, width, size=(draws, len(table)))
    everything = np.ones((draws, len(table)), dtype=np.bool_)
    metrics = score_parts(table, Folds(~everything, everything, draws), truths).metrics()[0]
    return dict(zip(METRICS, metrics.tolist(), strict=True))
