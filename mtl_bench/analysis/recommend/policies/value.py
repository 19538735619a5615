"""The default: buy what is expected to reduce the regret most for its steps."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_bench.analysis.recommend.decisions import Worth, moments, worth_of
from mtl_bench.analysis.recommend.model import posterior
from mtl_bench.analysis.recommend.policies.base import Extension, State, checked_shares


class Value:
    """Extends, or repeats with another seed, where the knowledge gradient for a step is largest.

    It stops when nothing that can be paid for is worth having.
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
        rated = [
            (worth.regret / state.cost([request]), request)
            for request, worth in self.rated(state)
            if worth.regret >= self.least and state.affordable([request])
        ]
        rated.sort(key=lambda each: -each[0])
        chosen: dict[int, Extension] = {}
        for value, request in rated:
            if value >= self.close * rated[0][0]:
                chosen.setdefault(request.candidate, request)
        return state.within_budget(list(chosen.values()))[: state.parallel]

    def rated(self, state: State) -> list[tuple[Extension, Worth]]:
        """Return every extension that there is, and what it is worth."""
        known = posterior(state.candidates, state.noise, state.settings)
        moment, scale = moments(known), float(known.weights @ known.taus)
        return [
            (
                request,
                worth_of(
                    request.candidate, state.reached(request.share), request.seeds,
                    state.candidates[request.candidate], moment, scale,
                    state.noise, state.settings,
                ),
            )
            for request in self._possible(state)
        ]  # fmt: skip

    def _possible(self, state: State) -> list[Extension]:
        extensions = []
        for number, candidate in enumerate(state.candidates):
            seeds = max(1, candidate.seeds)
            extensions += [Extension(number, s, seeds) for s in self.shares if s > candidate.share]
            if candidate.share == 1 and seeds < state.limits.seeds:
                extensions.append(Extension(number, 1.0, seeds + 1))
        return extensions
