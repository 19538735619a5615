"""How much of a gain is the main task, the auxiliary, the pair, and noise: variance components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.gains.paired_scores import paired_scores
from mtl_bench.analysis.measurements import Measurements

NAMES = ("main", "auxiliary", "pair", "single run", "noise")
"""Of the components: what all gains of a main task share; those from an auxiliary; those of a pair;
the noise of the single run, which all gains of a main task and seed share; the rest."""

Gains = Sequence[tuple[str, str, int, float]]
"""Main task, auxiliary, seed, gain in percent."""


@dataclass(frozen=True)
class Components:
    """Variance components of the gains of a sweep.

    Attributes:
        variance: by component, squared percent.
        share: of their sum.
        low: lower ends of 95 percent intervals of the shares (jackknife over tasks).
        high: upper ends.
    """

    variance: Mapping[str, float]
    share: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]


def seed_gains(measurements: Measurements) -> list[tuple[str, str, int, float]]:
    """Return the gain of each seed, from single auxiliaries, as final metrics have it."""
    return [
        (scores.main, scores.aux, seed, gain)
        for scores in paired_scores(measurements.values, measurements.metrics, measurements.budget)
        if "+" not in scores.aux
        for seed, gain in scores.percent(measurements.metrics[scores.main].sign).items()
    ]


def components(gains: Gains) -> Components | None:
    """Return the components; None where there are fewer than two seeds or four tasks.

    The gain of main m from auxiliary a with seed s is mu + main_m + aux_a + pair_ma - single_ms +
    noise_mas, all but mu drawn independently from normal distributions, whose variances maximise
    the restricted likelihood (Patterson and Thompson, 1971). Gains of main tasks differ in their
    spread, which this leaves out: components are means over main tasks.
    """
    tasks = sorted({name for main, aux, *_ in gains for name in (main, aux)})
    if len({seed for *_, seed, _ in gains}) < 2 or len(tasks) < 4:
        return None
    variances = _variances(gains)
    shares = variances / variances.sum()
    left_out = []
    for task in tasks:
        part = _variances([row for row in gains if task not in row[:2]])
        left_out.append(part / part.sum())
    # Of the jackknife: a task is in the pairs of all others, so that this is rough.
    spread = np.sqrt((len(tasks) - 1) * np.var(left_out, axis=0))
    low, high = np.clip(shares - 1.96 * spread, 0, 1), np.clip(shares + 1.96 * spread, 0, 1)
    by_name = [
        dict(zip(NAMES, row.tolist(), strict=True)) for row in (variances, shares, low, high)
    ]
    return Components(*by_name)


def _variances(gains: Gains) -> Floats:
    """Return [5] the variances."""
    y = np.array([gain for *_, gain in gains])
    keys: list[list[object]] = [
        [main for main, *_ in gains],
        [aux for _, aux, *_ in gains],
        [(main, aux) for main, aux, *_ in gains],
        [(main, seed) for main, _, seed, _ in gains],
    ]
    kernels = [np.equal.outer(numbers, numbers) * 1.0 for numbers in map(_numbered, keys)]
    kernels.append(np.eye(len(y)))
    scale = float(np.var(y)) or 1.0

    def loss(logarithms: Floats) -> float:
        v = sum(np.exp(each) * kernel for each, kernel in zip(logarithms, kernels, strict=True))
        factor = np.linalg.cholesky(v)
        ones = np.linalg.solve(factor, np.ones(len(y)))
        values = np.linalg.solve(factor, y / np.sqrt(scale))
        rest = values - ones * (ones @ values) / (ones @ ones)
        return float(2 * np.log(np.diag(factor)).sum() + np.log(ones @ ones) + rest @ rest)

    bounds = [(-14.0, 6.0)] * len(kernels)
    best = minimize(loss, np.full(len(kernels), -1.6), bounds=bounds, method="L-BFGS-B")
    result: Floats = np.exp(best.x) * scale
    return result


def _numbered(keys: Sequence[object]) -> Floats:
    """Return a number for each key, the same for equal ones."""
    numbers = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], dtype=np.float64)
