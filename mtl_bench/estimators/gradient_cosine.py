"""Do both tasks pull the shared encoder in one direction? Cosine of gradients (Yu et al., 2020)."""

from __future__ import annotations

import numpy as np

from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.pilots import Pilots


def at_start(pilots: Pilots) -> Scores:
    """Return the cosine before the first step."""
    return pilots.cosines_at_start()


def during_pilot(pilots: Pilots) -> Scores:
    """Return the mean cosine after the start."""
    later = pilots.cosines_later()
    return {pair: float(np.mean([each[pair] for each in later])) for pair in pilots.pairs()}
