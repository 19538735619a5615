"""From a posterior to a choice: which auxiliary, and what an error costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.recommend.model import Posterior


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
