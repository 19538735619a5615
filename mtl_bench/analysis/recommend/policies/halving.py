"""Successive halving: all candidates shortly, the better half further, and so on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_bench.analysis.recommend.model import posterior
from mtl_bench.analysis.recommend.policies.base import Extension, State, checked_shares


class Halving:
    """Trains to rising shares; before each but the first, the lower half is left behind.

    Jamieson and Talwalkar (2016).
    """

    def __init__(
        self, shares: Sequence[float], uses_model: bool = False, first: int | None = None
    ) -> None:
        """Take the plan.

        Args:
            shares: of the budget, ascending.
            uses_model: order candidates by the expected late gain, and not by the gain so far.
            first: candidates to begin with, those of the largest p_i; None: all.
        """
        self.shares = checked_shares(shares)
        self.uses_model = uses_model
        self.first = first

    def next(self, state: State) -> list[Extension]:
        """Return the candidates of the first share that is not reached by all that should be."""
        numbers = list(range(len(state.candidates)))
        if self.first is not None:
            numbers = sorted(numbers, key=lambda n: -state.candidates[n].prior)[: self.first]
        for share in dict.fromkeys(state.reached(share) for share in self.shares):
            left = [n for n in numbers if state.candidates[n].share < share]
            if left:
                return [Extension(n, share) for n in sorted(left)]
            numbers = self._better_half(state, numbers, share)
        return []

    def _better_half(self, state: State, numbers: list[int], share: float) -> list[int]:
        """Return the better half; those that are beyond the share were chosen before."""
        # A gain that is not known counts as the lowest.
        gains = [candidate.gain for candidate in state.candidates]
        scores = np.nan_to_num(gains, nan=-np.inf).tolist()
        if self.uses_model:
            scores = posterior(state.candidates, state.noise, state.settings).mean.tolist()
        order = sorted(numbers, key=lambda n: (state.candidates[n].share <= share, -scores[n]))
        return order[: max(1, len(order) // 2)]
