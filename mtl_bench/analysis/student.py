"""Student's distribution; `scipy.stats` has it, too, and takes a second to import."""

from __future__ import annotations

from functools import cache

from scipy.special import nctdtrinc, stdtr, stdtrit


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


@cache
def detectable(power: float, level: float, degrees: float) -> float:
    """Return which mean a two-sided t test shows with some probability, in its standard errors.

    >>> round(detectable(0.8, 0.05, 1), 1), round(detectable(0.8, 0.05, 1e6), 2)
    (16.3, 2.8)
    """
    # The other tail is nothing here.
    return float(nctdtrinc(degrees, 1 - power, quantile(1 - level / 2, degrees)))
