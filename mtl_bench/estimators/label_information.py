"""What the auxiliary's labels tell of the main task's (Bjerva, 2017; Schröder and Biemann, 2020).

The auxiliary's tagger, trained alone, tags sentences of the main task.
"""

from __future__ import annotations

import math

import numpy as np
from sklearn.metrics import mutual_info_score

from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.alone import View
from mtl_bench.estimators.pilots.pilots import Pilots
from mtl_bench.tasks.entropy import entropy


def label_information(pilots: Pilots) -> Scores:
    """Return I(main labels; predicted labels) / H(main labels): 0 nothing, 1 everything."""
    return pilots.of_views(share)


def share(view: View) -> float:
    """Return the information over the entropy of the labels; nan if there is one label.

    Both are in nats, corrected for their bias, which grows with the number of labels (Miller,
    1955): without that, many labels would tell much by chance.
    """
    labels, counts = np.unique(view.labels, return_counts=True)
    if len(labels) < 2:
        return math.nan
    predicted = len(np.unique(view.predicted))
    both = len(np.unique(np.stack([view.labels, view.predicted]), axis=1).T)
    count = len(view.labels)
    information = float(mutual_info_score(view.labels, view.predicted))
    information -= (both - len(labels) - predicted + 1) / (2 * count)
    return information / (entropy(counts) + (len(labels) - 1) / (2 * count))
