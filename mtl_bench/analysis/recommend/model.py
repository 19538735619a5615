"""What runs so far say of the gains that they will have: a Gaussian model, and its posterior.

For a main task with candidates i, trained to the share t_i of the budget with n_i seeds:

    late gain      g_i = mu + tau (beta p_i + sqrt(1 - beta^2) u_i)
    observed gain  y_i = g_i + tau s(t_i) e_i + noise_i / sqrt(n_i) + shared / sqrt(n)

u, e and the noises are standard normal; `shared` is the noise of the main task's single run, which
enters every gain. p_i is what a record of other main tasks says of the candidate, standardised; 0
where nothing is known. mu and tau, the mean and the spread of the main task's gains, have weak
priors: mu is integrated out, tau is a grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mtl_bench.analysis.arrays import Floats

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
DEVIATIONS = (7.0, 4.0, 2.05, 1.5, 1.28, 1.07, 0.83, 0.64, 0.47, 0.0)
"""s(t): how far a gain at a share of the budget is from the late one, in units of tau; measured on
the published runs (windows: the last 20 percent of the evaluations so far)."""

BETA = 0.47
"""How far a candidate's gains with other main tasks tell of this one; measured there, too."""


@dataclass(frozen=True)
class Settings:
    """The constants of the model.

    Attributes:
        shares: of the budget, ascending.
        deviations: s(t) at each of them.
        beta: correlation of a late gain with its p_i.
        mean_sd: standard deviation of mu's prior, in percent.
        spreads: grid of tau, in percent.
        spread_median: median of tau's prior, which is log-normal.
        spread_log_sd: its standard deviation, of the logarithm.
    """

    shares: Sequence[float] = SHARES
    deviations: Sequence[float] = DEVIATIONS
    beta: float = BETA
    mean_sd: float = 3.0
    spreads: Sequence[float] = tuple(float(x) for x in np.geomspace(0.25, 32, 22))
    spread_median: float = 3.0
    spread_log_sd: float = 1.0

    def deviation(self, share: float) -> float:
        """Return s(t), between the shares measured on a straight line of its logarithm."""
        if share >= 1:
            return float(self.deviations[-1])
        logs = np.log(np.maximum(self.deviations, 0.3))
        return float(np.exp(np.interp(share, self.shares, logs)))


@dataclass(frozen=True)
class Candidate:
    """What is known of an auxiliary.

    Attributes:
        name: of the auxiliary, or of a set of them.
        share: of the budget to which it is trained; 0 for not at all.
        gain: observed, in percent; nan at share 0.
        seeds: pairs of runs that the gain is the mean of.
        prior: p_i.
        tasks: of its runs, the main task included: a step of each is paid for.
    """

    name: str
    share: float = 0.0
    gain: float = float("nan")
    seeds: int = 0
    prior: float = 0.0
    tasks: int = 2

    def is_observed(self) -> bool:
        """Return whether a gain is known; it is not where the main task alone scores 0."""
        return self.share > 0 and math.isfinite(self.gain)


@dataclass(frozen=True)
class Noise:
    """Standard deviations of one gain of one seed, in percent.

    Attributes:
        own: of the pair run.
        shared: of the single run, the same for all candidates.
    """

    own: float = 0.5
    shared: float = 0.5


@dataclass(frozen=True)
class Posterior:
    """What is known of the late gains of K candidates, in percent.

    Attributes:
        means: [T, K] for each tau of the grid.
        covariances: [T, K, K].
        weights: [T] of the taus.
        taus: [T].
    """

    means: Floats
    covariances: Floats
    weights: Floats
    taus: Floats
    seed: int = field(default=0)

    @property
    def mean(self) -> Floats:
        """The expected late gains [K]."""
        mean: Floats = self.weights @ self.means
        return mean

    def draws(self, count: int = 4000) -> Floats:
        """Return [count, K] draws of the late gains, the same each time."""
        random = np.random.default_rng(self.seed)
        numbers = random.multinomial(count, self.weights / self.weights.sum())
        parts = [
            random.multivariate_normal(mean, covariance, size=n, method="cholesky")
            for mean, covariance, n in zip(self.means, self.covariances, numbers, strict=True)
            if n
        ]
        return np.concatenate(parts)


def posterior(
    candidates: Sequence[Candidate],
    noise: Noise,
    settings: Settings = Settings(),
) -> Posterior:
    """Return what is known of the late gains.

    Args:
        candidates: K of them.
        noise: of gains.
        settings: constants of the model.
    """
    count = len(candidates)
    observed = np.array([c.is_observed() for c in candidates])
    y = np.array([c.gain for c in candidates])[observed]
    prior = np.array([c.prior for c in candidates])
    seeds = np.array([max(1, c.seeds) for c in candidates])[observed]
    deviations = np.array([settings.deviation(c.share) for c in candidates])[observed]
    shared = noise.shared**2 / max(1, max(seeds, default=1))
    means, covariances, logs = [], [], []
    taus = np.array(settings.spreads)
    for tau in taus:
        mean = tau * settings.beta * prior
        covariance = tau**2 * (1 - settings.beta**2) * np.eye(count) + settings.mean_sd**2
        error = np.diag((tau * deviations) ** 2 + noise.own**2 / seeds) + shared
        gain = covariance[:, observed]
        total = gain[observed] + error
        residual = y - mean[observed]
        solved = np.linalg.solve(total, np.column_stack([residual, gain.T])) if len(y) else None
        log = -0.5 * ((np.log(tau) - np.log(settings.spread_median)) / settings.spread_log_sd) ** 2
        if solved is not None:
            log += -0.5 * float(residual @ solved[:, 0]) - 0.5 * float(np.linalg.slogdet(total)[1])
            mean = mean + gain @ solved[:, 0]
            covariance = covariance - gain @ solved[:, 1:]
        means.append(mean)
        covariances.append((covariance + covariance.T) / 2 + 1e-9 * np.eye(count))
        logs.append(log)
    weights = np.exp(np.array(logs) - max(logs))
    return Posterior(np.array(means), np.array(covariances), weights / weights.sum(), taus)
