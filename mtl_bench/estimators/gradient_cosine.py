"""Do both tasks pull the shared encoder in one direction? Cosine of gradients (Yu et al., 2020)."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor
from torch.nn.functional import cosine_similarity

from mtl_bench.estimators.base import Scores
from mtl_bench.estimators.pilots import Pilots


def at_start(pilots: Pilots) -> Scores:
    """Return the cosine before the first step."""
    gradients = pilots.moments[0].gradients
    return {(m, a): _cosine(gradients[m], gradients[a]) for m, a in pilots.pairs()}


def during_pilot(pilots: Pilots) -> Scores:
    """Return the mean cosine after the start."""
    later = [moment.gradients for moment in pilots.moments[1:]]
    return {
        (m, a): float(np.mean([_cosine(each[m], each[a]) for each in later]))
        for m, a in pilots.pairs()
    }


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(cosine_similarity(one, other, dim=0)) if one.any() and other.any() else math.nan
