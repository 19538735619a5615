"""Task affinity: does a step of the auxiliary lower the main task's loss? (Fifty et al., 2021).

1 - loss after / loss before a step of plain gradient descent on the shared encoder along the
auxiliary's gradient; mean over the moments of a pilot of all tasks in one model.
"""

from __future__ import annotations

import numpy as np

from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.pilots import Pilots


def affinity(pilots: Pilots) -> Scores:
    """Return the relative decrease of the loss."""
    moments = pilots.affinities()
    return {pair: float(np.mean([each[pair] for each in moments])) for pair in pilots.pairs()}
