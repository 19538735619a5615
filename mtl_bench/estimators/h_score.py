"""H-score: how far apart the labels' mean states lie (Bao et al., 2019).

Covariances are shrunk (Ledoit and Wolf), without which few words in many dimensions score high
(Ibrahim et al., 2022).
"""

from __future__ import annotations

import math

import numpy as np
from sklearn.covariance import ledoit_wolf

from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.alone import View
from mtl_bench.estimators.pilots.pilots import Pilots


def h_score(pilots: Pilots) -> Scores:
    """Return tr(cov(states)^-1 cov(mean state of the label))."""
    return pilots.of_views(of_view)


def of_view(view: View) -> float:
    """Return the H-score of the states of some words for their labels."""
    if (states := view.centred()) is None:
        return math.nan
    covariance, shrinkage = ledoit_wolf(states, assume_centered=True)
    labels, numbers, counts = np.unique(view.labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(labels), states.shape[1]))
    np.add.at(sums, numbers, states)
    means = sums / counts[:, None]
    between = (means * counts[:, None]).T @ means / len(states)
    return float((1 - shrinkage) * np.trace(np.linalg.solve(covariance, between)))
