"""From a posterior to a choice: which auxiliary, what an error costs, what to train next."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.recommend.model import Candidate, Noise, Posterior, Settings

NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@dataclass(frozen=True)
class Outlook:
    """What a recommendation says.

    Attributes:
        choice: number of the candidate with the largest expected gain; None: train the main task
            alone.
        regret: expected loss against the best of the candidates and none, in percent.
        low: [K] lower ends of the 80 percent intervals of late gains.
        high: [K] upper ends.
        helps: [K] probabilities of a late gain above 0.
        best: [K] probabilities to be the best of all, none included.
        confidence: probability that the choice is the best.
    """

    choice: int | None
    regret: float
    low: Floats
    high: Floats
    helps: Floats
    best: Floats
    confidence: float


def outlook(posterior: Posterior) -> Outlook:
    """Return what a posterior says."""
    mean = posterior.mean
    draws = posterior.draws()
    choice = int(mean.argmax()) if mean.max() > 0 else None
    most = np.maximum(draws.max(axis=1), 0)
    gain = draws[:, choice] if choice is not None else np.zeros(len(draws))
    winners = np.where(draws.max(axis=1) > 0, draws.argmax(axis=1), -1)
    low, high = np.quantile(draws, (0.1, 0.9), axis=0)
    return Outlook(
        choice,
        float((most - gain).mean()),
        low,
        high,
        (draws > 0).mean(axis=0),
        np.array([(winners == number).mean() for number in range(draws.shape[1])]),
        float((winners == (-1 if choice is None else choice)).mean()),
    )


def moments(posterior: Posterior) -> tuple[Floats, Floats]:
    """Return mean [K] and covariance [K, K] of a posterior."""
    mean = posterior.mean
    between = posterior.means - mean
    covariance: Floats = np.einsum("t,tij->ij", posterior.weights, posterior.covariances)
    return mean, covariance + np.einsum("t,ti,tj->ij", posterior.weights, between, between)


@dataclass(frozen=True)
class Worth:
    """What an observation is worth.

    Attributes:
        regret: expected reduction of the regret, in percent. That is the knowledge gradient
            (Frazier, Powell and Dayanik, 2009): the expected maximum of the means after the
            observation, less the maximum before, with none at 0 among them.
        change: probability that the choice is another one afterwards.
    """

    regret: float = 0.0
    change: float = 0.0


def worth_of(
    number: int,
    share: float,
    seeds: int,
    candidate: Candidate,
    known: tuple[Floats, Floats],
    scale: float,
    noise: Noise,
    settings: Settings,
) -> Worth:
    """Return what it is worth to observe a candidate at a share of the budget.

    Args:
        number: of the candidate.
        share: of the budget, to be reached.
        seeds: to be reached.
        candidate: as it is.
        known: mean and covariance of the late gains.
        scale: tau.
        noise: of gains.
        settings: of the model.
    """
    mean, covariance = known
    after = (scale * settings.deviation(share)) ** 2 + noise.own**2 / seeds
    information = 1 / max(after, 1e-6)
    if candidate.is_observed():  # what the observation replaces
        own = noise.own**2 / max(1, candidate.seeds)
        information -= 1 / max((scale * settings.deviation(candidate.share)) ** 2 + own, 1e-6)
    if information <= 0:
        return Worth()
    change = covariance[:, number] / math.sqrt(covariance[number, number] + 1 / information)
    # None, of gain 0, is the last of the arms.
    arms = np.column_stack([mean + NODES[:, None] * change, np.zeros(len(NODES))])
    before = np.append(mean, 0.0)
    weights = NODE_WEIGHTS / NODE_WEIGHTS.sum()
    return Worth(
        float(weights @ arms.max(axis=1) - before.max()),
        float(weights @ (arms.argmax(axis=1) != before.argmax())),
    )
