"""The default: buy what is expected to reduce the regret most for its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mtl_bench.analysis.recommend.decisions import outlook
from mtl_bench.analysis.recommend.model import Posterior, posterior
from mtl_bench.analysis.recommend.policies.base import Extension, State, checked_shares
from mtl_bench.analysis.recommend.worth import Worth, worths


class Value:
    """Extends, or repeats with another seed, where the knowledge gradient for a step is largest.

    Beside single candidates, it rates the two, four, ... that are the most likely to be the best
    together: a short run of one of many hardly changes the choice, but short runs of all do. It
    stops when nothing that can be paid for is worth having.
    """

    uses_model = True

    def __init__(
        self,
        shares: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0),
        least: float = 0.003,
        close: float = 0.5,
    ) -> None:
        """Take the options.

        Args:
            shares: of the budget, at which runs are looked at.
            least: expected reduction of the regret, in percent, below which nothing is bought.
            close: of what is trained beside the best: value for a step, relative to the best.
        """
        self.shares = checked_shares(shares)
        self.least = least
        self.close = close

    def next(self, state: State) -> list[Extension]:
        """Return the best extension, and others nearly as good that can be trained beside it."""
        belief = posterior(state.candidates, state.noise, state.settings)
        possible = self._possible(state)
        options = [[each] for each in possible] + self._together(belief, possible)
        options = [option for option in options if state.affordable(option)]
        rated = [
            (worth.regret / state.cost(option), option)
            for option, worth in zip(options, self._worths(state, belief, options), strict=True)
            if worth.regret >= self.least
        ]
        rated.sort(key=lambda each: -each[0])
        chosen: dict[int, Extension] = {}
        for value, option in rated:
            if value >= self.close * rated[0][0]:
                for request in option:
                    chosen.setdefault(request.candidate, request)
        return state.within_budget(list(chosen.values()))[: state.parallel]

    def rated(self, state: State) -> list[tuple[Extension, Worth]]:
        """Return every extension of a single candidate that there is, and what it is worth."""
        belief = posterior(state.candidates, state.noise, state.settings)
        possible = self._possible(state)
        return list(
            zip(possible, self._worths(state, belief, [[each] for each in possible]), strict=True)
        )

    def _worths(
        self, state: State, belief: Posterior, options: Sequence[Sequence[Extension]]
    ) -> list[Worth]:
        groups = [
            [
                (
                    each.candidate,
                    replace(
                        state.candidates[each.candidate],
                        share=state.reached(each.share),
                        gain=0.0,  # which gain does not matter to covariances
                        seeds=each.seeds,
                    ),
                )
                for each in option
            ]
            for option in options
        ]
        return worths(state.candidates, groups, belief, state.noise, state.settings)

    def _together(self, belief: Posterior, possible: Sequence[Extension]) -> list[list[Extension]]:
        order = np.argsort(-outlook(belief).best, kind="stable")
        ranks = {int(number): rank for rank, number in enumerate(order)}
        options = []
        for share in self.shares:
            members = [each for each in possible if each.share == share]
            members.sort(key=lambda each: ranks[each.candidate])
            size = 2
            while size < 2 * len(members):
                options.append(members[:size])
                size *= 2
        return options

    def _possible(self, state: State) -> list[Extension]:
        extensions = []
        for number, candidate in enumerate(state.candidates):
            seeds = max(1, candidate.seeds)
            extensions += [Extension(number, s, seeds) for s in self.shares if s > candidate.share]
            if candidate.share == 1 and seeds < state.limits.seeds:
                extensions.append(Extension(number, 1.0, seeds + 1))
        return extensions
