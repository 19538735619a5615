"""Rank correlations, of many rows at once."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from mtl_bench.analysis.arrays import Floats


def rank_correlation(a: Floats, b: Floats) -> float:
    """Return Spearman's rank correlation of [N] and [N]; 0 if one of them is constant."""
    return float(rank_correlations(a[None], b)[0])


def rank_correlations(a: Floats, b: Floats) -> Floats:
    """Return Spearman's rank correlation of each row of [D, N] with [N]; 0 if one is constant.

    `scipy.stats.spearmanr` takes one row at a time, and gives nan where one is constant.
    """
    mean_rank = (len(b) + 1) / 2
    return correlation(rankdata(a, axis=1) - mean_rank, rankdata(b) - mean_rank)


def correlation(a: Floats, b: Floats) -> Floats:
    """Return the cosine of each row of `a` with `b`; 0 where one of them is 0."""
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum())
    result: Floats = np.where(size > 0, (a @ b) / np.where(size > 0, size, 1), 0)
    return result
