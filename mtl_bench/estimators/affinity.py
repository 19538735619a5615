"""Task affinity: does a step of the auxiliary lower the main task's loss? (Fifty et al., 2021).

1 - loss after / loss before a step of plain gradient descent on the shared encoder along the
auxiliary's gradient; mean over the moments of a pilot of all tasks in one model.
"""

from __future__ import annotations

import numpy as np

from mtl_bench.estimators.base import Scores
from mtl_bench.estimators.pilots import Pilots


def affinity(pilots: Pilots) -> Scores:
    """Return the relative decrease of the loss."""
    return {
        (main, aux): float(
            np.mean([1 - m.ahead[main, aux] / m.losses[main] for m in pilots.moments])
        )
        for main, aux in pilots.pairs()
    }
