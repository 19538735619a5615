"""What a policy is told, and what it may ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mtl_bench.analysis.recommend.decisions import Outlook
from mtl_bench.analysis.recommend.settings import Candidate, Noise, Settings, steps_of_all


@dataclass(frozen=True)
class Limits:
    """When to stop.

    Attributes:
        budget: share of the steps of training everything to the end.
        regret: expected loss against the best choice, in percent, that is small enough.
        confidence: probability that the choice is the best, that is large enough; infinite: none.
        seeds: of a candidate, at most.
    """

    budget: float = 1.0
    regret: float = 0.1
    confidence: float = math.inf
    seeds: int = 3

    def met_by(self, outlook: Outlook) -> str | None:
        """Return which limit what is known has met, by its name; None if it met none."""
        if outlook.regret < self.regret:
            return "regret"
        return "confidence" if outlook.confidence >= self.confidence else None


@dataclass(frozen=True)
class State:
    """What is known when a policy is asked.

    Attributes:
        candidates: as far as they are trained.
        single: share of the budget to which the main task alone is trained, all seeds together.
        spent: share of the steps of training everything.
        noise: of gains.
        settings: of the model.
        limits: of the search.
        parallel: runs that can be trained at once.
        evaluated: shares of the budget at which runs are evaluated, ascending; none: at all.
        everything: steps of all candidates and the main task alone (`settings.steps_of_all`); 0:
            those of these candidates.
    """

    candidates: tuple[Candidate, ...]
    single: float = 0.0
    spent: float = 0.0
    noise: Noise = field(default_factory=Noise)
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=Limits)
    parallel: int = 1
    evaluated: tuple[float, ...] = ()
    everything: float = 0.0

    def reached(self, share: float) -> float:
        """Return the share to which one trains to observe a gain at a share."""
        return next((each for each in self.evaluated if each >= share - 1e-9), min(share, 1.0))

    def cost(self, requests: Sequence[Extension]) -> float:
        """Return the share of all steps that requests take, the single run's part included.

        A run of n tasks takes n times the steps of a single one for the same budget.
        """
        runs, single = 0.0, self.single
        for request in requests:
            candidate = self.candidates[request.candidate]
            aim = self.reached(request.share) * request.seeds
            runs += candidate.tasks * max(0.0, aim - candidate.share * max(1, candidate.seeds))
            single = max(single, aim)
        everything = self.everything or steps_of_all([each.name for each in self.candidates])
        return (runs + single - self.single) / everything

    def affordable(self, requests: Sequence[Extension]) -> bool:
        """Return whether requests stay within the budget."""
        return self.spent + self.cost(requests) <= self.limits.budget + 1e-9

    def within_budget(self, requests: Sequence[Extension]) -> list[Extension]:
        """Return the requests that can be paid for, the first ones first."""
        chosen: list[Extension] = []
        for request in requests:
            if self.affordable([*chosen, request]):
                chosen.append(request)
        return chosen


@dataclass(frozen=True)
class Extension:
    """Train a candidate further.

    Attributes:
        candidate: its number.
        share: of the budget, to be reached.
        seeds: to be reached, each to that share.
    """

    candidate: int
    share: float
    seeds: int = 1


class Policy(Protocol):
    """Decides what to train next.

    Attributes:
        uses_model: whether it decides by the model. The choice of a replay is the model's then,
            else the candidate with the largest gain among those trained the furthest, if that is
            above 0. A search answers by the model, whatever its policy.
    """

    uses_model: bool

    def next(self, state: State) -> list[Extension]:
        """Return what to train now; nothing ends the search."""


def checked_shares(shares: Sequence[float]) -> tuple[float, ...]:
    """Return shares of the budget.

    Raises:
        ValueError: they do not rise from above 0 to at most 1.
    """
    is_list = isinstance(shares, list | tuple) and len(shares) > 0
    if not is_list or sorted({0.0, *shares}) != [0.0, *shares] or max(shares) > 1:
        raise ValueError(f"shares are ascending, above 0 and at most 1, such as [0.2, 1]; {shares}")
    return tuple(shares)
