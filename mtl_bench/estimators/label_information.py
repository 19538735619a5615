"""What the auxiliary's labels tell of the main task's (Bjerva, 2017; Schröder and Biemann, 2020).

The auxiliary's tagger, trained alone, tags sentences of the main task.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from mtl_bench.estimators.base import Scores
from mtl_bench.estimators.pilots import Pilots


def label_information(pilots: Pilots) -> Scores:
    """Return I(main labels; predicted labels) / H(main labels): 0 nothing, 1 everything."""
    scores: Scores = {}
    for pair in pilots.pairs():
        scores[pair] = math.nan
        if view := pilots.views.get(pair):
            own = float(entropy(np.unique(view.labels, return_counts=True)[1]))
            if own:
                scores[pair] = float(mutual_info_score(view.labels, view.predicted)) / own
    return scores
