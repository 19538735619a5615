"""What the model of gains is told: constants, candidates as far as they are trained, noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
DEVIATIONS = (7.0, 4.0, 2.05, 1.5, 1.28, 1.07, 0.83, 0.64, 0.47, 0.0)
"""s(t): how far a gain at a share of the budget is from the late one, in units of tau, beside
what the main task's gains have in common; measured on the published runs (windows: the last 20
percent of the evaluations so far)."""

BETA = 0.47
"""How far a candidate's gains with other main tasks tell of this one; measured there, too."""


@dataclass(frozen=True)
class Settings:
    """The constants of the model.

    Attributes:
        shares: of the budget, ascending.
        deviations: s(t) at each of them.
        beta: correlation of a late gain with its p_i.
        mean_sd: nu, standard deviation of mu's prior, in percent.
        spreads: grid of tau, in percent.
        spread_median: median of tau's prior, which is log-normal.
        spread_log_sd: its standard deviation, of the logarithm.
        widths: grid of z.
        single: factor on nu in early gains; 0: what the single run adds to them is known.
    """

    shares: Sequence[float] = SHARES
    deviations: Sequence[float] = DEVIATIONS
    beta: float = BETA
    mean_sd: float = 3.0
    spreads: Sequence[float] = tuple(float(x) for x in np.geomspace(0.25, 32, 22))
    spread_median: float = 3.0
    spread_log_sd: float = 1.0
    widths: Sequence[float] = tuple(float(x) for x in np.linspace(-2, 2, 9))
    single: float = 1.0

    def deviation(self, share: float) -> float:
        """Return s(t), between the shares measured on a straight line of its logarithm."""
        if share >= 1:
            return float(self.deviations[-1])
        logs = np.log(np.maximum(self.deviations, 0.3))
        return float(np.exp(np.interp(share, self.shares, logs)))


def tasks_of(name: str) -> int:
    """Return the number of tasks of a candidate's runs, the main task included."""
    return 2 + name.count("+")


def steps_of_all(names: Sequence[str]) -> int:
    """Return the steps of all candidates and the main task alone with one seed, in budgets of one.

    Sets of auxiliaries count only where there is nothing else: a search makes them on its way.

    >>> steps_of_all(["a", "b", "a+b"]), steps_of_all(["a+b"])
    (5, 4)
    """
    singles = [name for name in names if "+" not in name]
    return 1 + sum(map(tasks_of, singles or names))


@dataclass(frozen=True)
class Candidate:
    """What is known of an auxiliary.

    Attributes:
        name: of the auxiliary, or of a set of them.
        share: of the budget to which it is trained; 0 for not at all.
        gain: observed, in percent; nan at share 0.
        seeds: pairs of runs that the gain is the mean of.
        prior: p_i.
    """

    name: str
    share: float = 0.0
    gain: float = float("nan")
    seeds: int = 0
    prior: float = 0.0

    @property
    def tasks(self) -> int:
        """The number of tasks of its runs, the main task included: a step of each is paid for."""
        return tasks_of(self.name)

    def is_observed(self) -> bool:
        """Return whether a gain is known; it is not where the main task alone scores 0."""
        return self.share > 0 and math.isfinite(self.gain)


@dataclass(frozen=True)
class Noise:
    """Standard deviations of one gain of one seed, in percent.

    Attributes:
        own: of the pair run.
        shared: of the single run, the same for all candidates.
        source: what they are estimated from; `assumed`: nothing.
    """

    own: float = 0.5
    shared: float = 0.5
    source: Literal["assumed", "late evaluations", "seeds"] = "assumed"

    @property
    def of_gain(self) -> float:
        """Standard deviation of the gain of one seed."""
        return math.hypot(self.own, self.shared)
