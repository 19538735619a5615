"""Gaussian conditioning of the model of gains (see `model`), for many cases at once.

Given tau and z, what is observed of a candidate, divided by k, is a part of its own and one that
all candidates trained to the same share with as many seeds have in common: mu, the single run's way
to its end, and its noise. So matrices are of the size of the number of such levels, and not of
candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.recommend.settings import Candidate, Noise, Settings


@dataclass(frozen=True)
class Observations:
    """Candidates as arrays, in B cases, or one for all.

    Attributes:
        gains: [B, K], 0 where nothing is observed.
        observed: [B, K] 1 or 0.
        seeds: [B, K], at least 1.
        squares: [B, K] s(t)^2, 0 where nothing is observed.
        prior: [B, K] p_i.
    """

    gains: Floats
    observed: Floats
    seeds: Floats
    squares: Floats
    prior: Floats

    @classmethod
    def of(cls, candidates: Sequence[Candidate], settings: Settings) -> Observations:
        """Return the arrays of candidates, one case."""
        rows = [
            (c.gain, 1.0, max(1, c.seeds), settings.deviation(c.share) ** 2, c.prior)
            if c.is_observed()
            else (0.0, 0.0, 1.0, 0.0, c.prior)
            for c in candidates
        ]
        return cls(*np.array(rows).T[:, None])

    def repeated(self, count: int) -> Observations:
        """Return as many cases of one."""
        arrays = (self.gains, self.observed, self.seeds, self.squares, self.prior)
        return Observations(*(np.repeat(array, count, axis=0) for array in arrays))

    def replace(self, case: int, numbers: Sequence[int], other: Observations) -> None:
        """Replace candidates of a case."""
        for name in ("gains", "observed", "seeds", "squares"):
            getattr(self, name)[case, numbers] = getattr(other, name)[0]


@dataclass(frozen=True)
class Conditional:
    """Late gains given what is seen, in B cases: means, and variances + factors common factors^T.

    Attributes:
        means: [B, K].
        variances: [B, K] of what is of each candidate alone.
        factors: [B, K, L + 1] of gains on the common parts at L levels, and on mu.
        common: [B, L + 1, L + 1] covariance of these.
        logs: [B] logarithm of the density of what is seen.
    """

    means: Floats
    variances: Floats
    factors: Floats
    common: Floats
    logs: Floats

    def covariance(self, case: int) -> Floats:
        """Return the covariance [K, K] of a case."""
        factors: Floats = self.factors[case]
        covariance: Floats = factors @ self.common[case] @ factors.T
        return covariance + np.diag(self.variances[case])

    def covariance_with(self, case: int, number: int) -> Floats:
        """Return the covariances [K] of one candidate in a case."""
        factors: Floats = self.factors[case]
        row: Floats = factors[number] @ self.common[case] @ factors.T
        row[number] += self.variances[case, number]
        return row


def condition(
    observations: Observations, tau: Floats, z: Floats, noise: Noise, settings: Settings
) -> Conditional:
    """Return what is known of late gains given tau and z, both [B, 1]."""
    scale = (1 + observations.squares) ** (z / 2)
    spread = tau**2 * (1 - settings.beta**2)
    own = spread + tau**2 * observations.squares + (noise.own / scale) ** 2 / observations.seeds
    precision = observations.observed / own
    mean = settings.beta * tau * observations.prior
    residual = observations.gains / scale - mean
    pairs = np.stack([observations.squares, observations.seeds], axis=-1)
    levels = np.unique(pairs.reshape(-1, 2), axis=0)
    members = (pairs[..., None, :] == levels).all(-1).astype(float)  # [B, K, L]
    squares, seeds = levels.T
    last = ((0, 0), (0, 1))  # mu alone, which nothing observes, comes last

    def total(values: Floats) -> Floats:
        return np.pad((values[:, None] @ members)[:, 0], last)

    single = noise.shared / (1 + squares) ** (z / 2)
    # Means over n and over the first m of n seeds have a covariance of 1 / n.
    shared = single[..., None] * single[:, None] / np.maximum(seeds[:, None], seeds)
    walks = (settings.single * settings.mean_sd) ** 2 * np.minimum(squares[:, None], squares)
    prior = np.pad(walks + shared, ((0, 0), *last[1:], *last[1:]))
    prior += settings.mean_sd**2
    system = np.eye(len(levels) + 1) + prior * total(precision)[:, None]
    common = np.linalg.solve(system, prior)
    evidence = total(precision * residual)
    expected = (common @ evidence[..., None])[..., 0]
    logs = (evidence * expected).sum(1) - (precision * residual**2).sum(1)
    logs -= (observations.observed * np.log(own * scale**2)).sum(1) + np.linalg.slogdet(system)[1]
    kept = spread * precision  # of what is observed of a candidate's own part, the late gain's
    factors = np.pad(-kept[..., None] * members, ((0, 0), *last), constant_values=1.0)
    return Conditional(
        mean + kept * residual + (factors @ expected[..., None])[..., 0],
        spread * (1 - kept),
        factors,
        common,
        logs / 2,
    )
