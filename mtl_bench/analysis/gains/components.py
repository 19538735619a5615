"""How much of a gain is the main task, the auxiliary, the pair, and noise: variance components."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.optimize import minimize

from mtl_bench.analysis.arrays import Floats, Ints
from mtl_bench.analysis.gains.paired_scores import paired_scores
from mtl_bench.analysis.measurements import Measurements

NAMES = ("main", "auxiliary", "pair", "single run", "noise")
"""Of the components: what all gains of a main task share; those from an auxiliary; those of a pair;
the noise of the single run, which all gains of a main task and seed share; the rest."""

Gains = Sequence[tuple[str, str, int, float]]
"""Main task, auxiliary, seed, gain in percent."""


FEWEST = 4
"""Degrees of freedom of a noise that gains are divided by."""

FEWEST_TASKS = 3
"""Main tasks, and auxiliaries, that a variance between them is estimated from."""

DRAWS = 200
"""Of the parametric bootstrap."""


@dataclass(frozen=True)
class Components:
    """Variance components of the gains of a sweep, each in units of its main task's noise.

    Attributes:
        share: of the variance of a gain of one seed, by component.
        low: lower ends of 95 percent intervals (parametric bootstrap).
        high: upper ends.
    """

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
    """Return the components; None for fewer than two seeds, three main tasks or three auxiliaries.

    Gains are divided by the standard deviation over seeds of their main task's gains, pooled over
    auxiliaries: a small corpus has 30 times the noise of a large one, and would decide for all. The
    quotient of main m, auxiliary a and seed s is mu + main_m + aux_a + pair_ma - single_ms +
    noise_mas, all but mu drawn independently from normal distributions, whose variances maximise
    the restricted likelihood (Patterson and Thompson, 1971). Intervals are central ones of the same
    estimates, units of noise included, from gains drawn with these variances. What the two tasks of
    one pair run have in common by its noise is left out.
    """
    scaled = _in_units_of_noise(gains)
    mains, auxes, seeds, _ = map(set, zip(*scaled, strict=True)) if scaled else (set(),) * 4
    if len(seeds) < 2 or min(len(mains), len(auxes)) < FEWEST_TASKS:
        return None
    design = _Design(scaled)
    variances = design.variances(_values(scaled))
    random = np.random.default_rng(0)
    draws = []
    for _ in range(DRAWS):
        drawn = zip(scaled, design.drawn(variances, random).tolist(), strict=True)
        again = _in_units_of_noise([(m, a, seed, gain) for (m, a, seed, _), gain in drawn])
        draws.append(design.variances(_values(again)))
    shares = np.array(draws) / np.sum(draws, axis=1, keepdims=True)
    rows = (variances / variances.sum(), *np.quantile(shares, (0.025, 0.975), axis=0))
    share, low, high = (dict(zip(NAMES, row.tolist(), strict=True)) for row in rows)
    return Components(share, low, high)


def without_each(gains: Gains) -> dict[str, dict[str, float]]:
    """Return the shares of the components when the gains of one main task are left out, by task.

    It is empty for fewer than three main tasks.
    """
    result: dict[str, dict[str, float]] = {}
    mains = sorted({main for main, *_ in gains})
    for left_out in mains if len(mains) > 2 else ():
        scaled = _in_units_of_noise([gain for gain in gains if gain[0] != left_out])
        variances = _Design(scaled).variances(_values(scaled))
        result[left_out] = dict(zip(NAMES, (variances / variances.sum()).tolist(), strict=True))
    return result


def _values(gains: Gains) -> Floats:
    return np.array([gain for *_, gain in gains])


def _in_units_of_noise(gains: Gains) -> Gains:
    """Return gains over the noise of their main task, where that has FEWEST degrees of freedom."""
    by_pair: dict[tuple[str, str], list[float]] = defaultdict(list)
    for main, aux, _, gain in gains:
        by_pair[main, aux].append(gain)
    squares: dict[str, float] = defaultdict(float)
    degrees: dict[str, int] = defaultdict(int)
    for (main, _), values in by_pair.items():
        squares[main] += float(np.var(values)) * len(values)
        degrees[main] += len(values) - 1
    noise = {
        main: float(np.sqrt(square / degrees[main]))
        for main, square in squares.items()
        if degrees[main] >= FEWEST
    }
    return [(m, a, seed, gain / noise[m]) for m, a, seed, gain in gains if noise.get(m)]


class _Design:
    """Which gains share what."""

    def __init__(self, gains: Gains) -> None:
        keys: list[list[object]] = [
            [main for main, *_ in gains],
            [aux for _, aux, *_ in gains],
            [(main, aux) for main, aux, *_ in gains],
            [(main, seed) for main, _, seed, _ in gains],
            list(range(len(gains))),
        ]
        self.numbers = [_numbered(each) for each in keys]
        self.kernels = [np.equal.outer(each, each) * 1.0 for each in self.numbers]

    def drawn(self, variances: Floats, random: Generator) -> Floats:
        """Return gains drawn with some variances."""
        total = np.zeros(len(self.numbers[0]))
        for variance, numbers in zip(variances, self.numbers, strict=True):
            total += np.sqrt(variance) * random.standard_normal(numbers.max() + 1)[numbers]
        return total

    def variances(self, y: Floats) -> Floats:
        """Return [5] the variances that maximise the restricted likelihood of gains."""
        scale = float(np.var(y)) or 1.0
        scaled = y / np.sqrt(scale)

        def loss(logarithms: Floats) -> tuple[float, Floats]:
            weights = np.exp(logarithms)
            v = sum(w * kernel for w, kernel in zip(weights, self.kernels, strict=True))
            inverse = np.linalg.inv(v)
            ones = inverse.sum(axis=1)
            p = inverse - np.outer(ones, ones) / ones.sum()
            rest = p @ scaled
            value = np.linalg.slogdet(v)[1] + np.log(ones.sum()) + scaled @ rest
            slopes = [
                w * (float((p * kernel).sum()) - float(rest @ kernel @ rest))
                for w, kernel in zip(weights, self.kernels, strict=True)
            ]
            return float(value), np.array(slopes)

        start, bounds = np.full(len(NAMES), -1.6), [(-14.0, 6.0)] * len(NAMES)
        best = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B")
        result: Floats = np.exp(best.x) * scale
        return result


def _numbered(keys: Sequence[object]) -> Ints:
    """Return a number for each key, the same for equal ones."""
    numbers = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys])
