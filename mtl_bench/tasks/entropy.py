"""Entropy of counts; `scipy.stats` has it, too, and takes a second to import."""

from __future__ import annotations

from typing import Any

import numpy as np


def entropy(counts: Any) -> float:
    """Return the entropy in nats of a distribution by its counts; counts of 0 add nothing.

    >>> round(entropy([5, 5, 0]), 4)
    0.6931
    """
    positive = np.asarray(counts)[np.asarray(counts) > 0]
    shares = positive / positive.sum()
    return float(np.sum(-shares * np.log(shares)))
