"""What runs so far say of the gains that they will have: a Gaussian model, and its posterior.

For a main task with candidates i, trained to the share t_i of the budget with n_i seeds:

    late gain      g_i = mu + tau (beta p_i + sqrt(1 - beta^2) u_i)
    observed gain  y_i = k(t_i) (g_i + s(t_i) (tau e_i + nu h(t_i)))
                         + (noise_i + shared) / sqrt(n_i)

u, e, h and the noises are standard normal. p_i is what a record of other main tasks says of the
candidate, standardised; 0 where nothing is known. A gain compares a pair run with the main task's
single run, which is the same for all candidates: its own way to its end, h, and its noise,
`shared`, enter every gain. Early gains deviate by s(t) times what late ones vary by: tau where
candidates differ, nu, the standard deviation of mu, in what they have in common. h(t) is a walk
that ends at the budget, so that h of two shares has the later one's variance in common. Candidates
share their first seeds, so that `shared` of two has a covariance of 1 / max(n_i, n_j).

mu and tau, the mean and the spread of the main task's gains, have weak priors. k(t) =
(1 + s(t)^2)^(z/2), z standard normal: early gains are sqrt(1 + s^2) times as wide as late ones on
average over main tasks, but not for each, so that their spread tells little of tau. mu is
integrated out, tau and z are a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.recommend.gaussian import Observations, condition
from mtl_bench.analysis.recommend.settings import Candidate, Noise, Settings


@dataclass(frozen=True)
class Posterior:
    """What is known of the late gains of K candidates, in percent.

    For each pair of tau and z of the grid, T of them, gains are normal.

    Attributes:
        means: [T, K].
        variances: [T, K] of what is of each candidate alone.
        loadings: [T, K, F] on standard normals that are common to all candidates.
        weights: [T].
        taus: [T].
        widths: [T] z.
    """

    means: Floats
    variances: Floats
    loadings: Floats
    weights: Floats
    taus: Floats
    widths: Floats

    @property
    def mean(self) -> Floats:
        """The expected late gains [K]."""
        mean: Floats = self.weights @ self.means
        return mean

    @property
    def covariance(self) -> Floats:
        """The covariance of late gains [K, K]."""
        parts = np.concatenate([self.loadings, (self.means - self.mean)[..., None]], axis=2)
        rows = (np.sqrt(self.weights)[:, None, None] * parts).transpose(1, 0, 2)
        flat = rows.reshape(len(rows), -1)
        covariance: Floats = np.diag(self.weights @ self.variances) + flat @ flat.T
        return covariance

    def draws(self, count: int = 4000) -> Floats:
        """Return [count, K] draws of the late gains, the same each time."""
        random = np.random.default_rng(0)
        numbers = random.multinomial(count, self.weights)
        common = random.standard_normal((count, self.loadings.shape[2]))
        draws = random.standard_normal((count, self.means.shape[1]))
        ends = np.cumsum(numbers)
        for t in np.flatnonzero(numbers):
            rows = slice(ends[t] - numbers[t], ends[t])
            draws[rows] *= np.sqrt(self.variances[t])
            draws[rows] += self.means[t] + common[rows] @ self.loadings[t].T
        return draws


def posterior(
    candidates: Sequence[Candidate],
    noise: Noise,
    settings: Settings = Settings(),  # noqa: B008
) -> Posterior:
    """Return what is known of the late gains.

    Args:
        candidates: K of them.
        noise: of gains.
        settings: constants of the model.
    """
    tau, z = (x.ravel()[:, None] for x in np.meshgrid(settings.spreads, settings.widths))
    observations = Observations.of(candidates, settings)
    conditional = condition(observations, tau, z, noise, settings)
    logs = conditional.logs - 0.5 * z[:, 0] ** 2
    logs -= 0.5 * (np.log(tau[:, 0] / settings.spread_median) / settings.spread_log_sd) ** 2
    weights = np.exp(logs - logs.max())
    covariance = (conditional.common + conditional.common.transpose(0, 2, 1)) / 2
    roots = np.linalg.cholesky(covariance + 1e-9 * np.eye(covariance.shape[1]))
    return Posterior(
        conditional.means,
        conditional.variances,
        conditional.factors @ roots,
        weights / weights.sum(),
        tau[:, 0],
        z[:, 0],
    )
