"""Student's distribution; `scipy.stats` has it, too, and takes a second to import."""

from __future__ import annotations

from functools import cache

from scipy.special import stdtr, stdtrit


@cache  # gains of a table share their degrees of freedom
def quantile(share: float, degrees: float) -> float:
    """Return below which value a share of the distribution lies.

    >>> round(quantile(0.975, 4), 3)
    2.776
    """
    return float(stdtrit(degrees, share))


def two_sided_p(value: float, degrees: float) -> float:
    """Return the probability of a value at least as far from 0.

    >>> round(two_sided_p(-2.776, 4), 3)
    0.05
    """
    return float(2 * stdtr(degrees, -abs(value)))
