"""What a policy is told, and what it may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mtl_bench.analysis.recommend.model import Candidate, Noise, Settings


@dataclass(frozen=True)
class Limits:
    """When to stop.

    Attributes:
        budget: share of the steps of training everything to the end.
        regret: expected loss against the best choice, in percent, that is small enough.
    """

    budget: float = 1.0
    regret: float = 0.1


@dataclass(frozen=True)
class State:
    """What is known when a policy is asked.

    Attributes:
        candidates: as far as they are trained.
        single: share of the budget to which the main task alone is trained.
        spent: share of the steps of training everything.
        noise: of gains.
        settings: of the model.
        limits: of the search.
        parallel: runs that can be trained at once.
    """

    candidates: tuple[Candidate, ...]
    single: float = 0.0
    spent: float = 0.0
    noise: Noise = field(default_factory=Noise)
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=Limits)
    parallel: int = 1

    def cost(self, requests: Sequence[Extension]) -> float:
        """Return the share of all steps that requests take, the single run's part included.

        A pair run takes twice the steps of a single one for the same budget.
        """
        pairs, single = 0.0, self.single
        for request in requests:
            candidate = self.candidates[request.candidate]
            done = candidate.share * max(1, candidate.seeds)
            pairs += 2 * max(0.0, request.share * request.seeds - done)
            single = max(single, request.share * request.seeds)
        return (pairs + single - self.single) / self.everything()

    def everything(self) -> float:
        """Return the steps of all candidates and the main task alone, in budgets of one task."""
        return 2 * len(self.candidates) + 1

    def affordable(self, requests: Sequence[Extension]) -> bool:
        """Return whether requests stay within the budget."""
        return self.spent + self.cost(requests) <= self.limits.budget + 1e-9


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
        uses_model: whether its choice is the model's; else it is the candidate with the largest
            gain among those trained the furthest, if that is above 0.
    """

    uses_model: bool

    def next(self, state: State) -> list[Extension]:
        """Return what to train now; nothing ends the search."""
