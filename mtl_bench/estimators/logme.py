"""LogME: how well states of the auxiliary's tagger explain the main labels (You et al., 2021).

The logarithm of the evidence of a Bayesian linear regression of each label on the states, with the
precisions of weights and noise that maximise it; mean over labels, for each word. States and labels
are centred first, which stands for an intercept; the original has none.
"""

from __future__ import annotations

import math

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.alone import View
from mtl_bench.estimators.pilots.pilots import Pilots

ROUNDS, CLOSE = 50, 1e-5


def logme(pilots: Pilots) -> Scores:
    """Return the evidence in nats a word."""
    return pilots.of_views(evidence)


def evidence(view: View) -> float:
    """Return the mean over labels of the largest log evidence, in nats a word."""
    if (states := view.centred()) is None:
        return math.nan
    left, singular, _ = np.linalg.svd(states, full_matrices=False)
    values = []
    for label in np.unique(view.labels):
        target = (view.labels == label).astype(np.float64)
        target -= target.mean()
        values.append(_of_target(left.T @ target, float(target @ target), singular, len(states)))
    return float(np.mean(values))


def _of_target(projected: Floats, square: float, singular: Floats, count: int) -> float:
    """Return the largest log evidence of one target, for each word.

    Args:
        projected: [D] of the target onto the left singular vectors of the states.
        square: of the target's length.
        singular: [D] values of the states.
        count: n words.
    """
    alpha, beta = 1.0, 1.0  # precisions of weights and of noise
    spectrum = singular**2
    for _ in range(ROUNDS):
        shrunk = beta * spectrum / (alpha + beta * spectrum)
        gamma = shrunk.sum()
        weights = beta * singular * projected / (alpha + beta * spectrum)
        length = max(float(weights @ weights), 1e-12)
        residual = max(square - float(projected @ projected), 0.0)
        residual += float((((1 - shrunk) * projected) ** 2).sum())
        residual = max(residual, 1e-12)
        ratio = alpha / beta
        alpha, beta = gamma / length, (count - gamma) / residual
        if abs(alpha / beta - ratio) <= CLOSE * ratio:
            break
    weights = beta * singular * projected / (alpha + beta * spectrum)
    shrunk = beta * spectrum / (alpha + beta * spectrum)
    residual = max(square - float(projected @ projected), 0.0)
    residual += float((((1 - shrunk) * projected) ** 2).sum())
    total = len(singular) * math.log(alpha) + count * math.log(beta) - count * math.log(2 * math.pi)
    total -= float(np.log(alpha + beta * spectrum).sum())
    total -= beta * residual + alpha * float(weights @ weights)
    return total / (2 * count)
