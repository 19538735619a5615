"""The default: buy what is expected to reduce the regret most for its steps."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_bench.analysis.recommend.decisions import moments, outlook, value_of
from mtl_bench.analysis.recommend.model import posterior
from mtl_bench.analysis.recommend.policies.base import Extension, State


class Value:
    """Extends, or repeats with another seed, where the knowledge gradient for a step is largest.

    It stops when the expected regret is below the limit, when nothing that can be paid for is worth
    having, or when the budget is spent.
    """

    uses_model = True

    def __init__(
        self,
        shares: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0),
        max_seeds: int = 1,
        least: float = 0.003,
        close: float = 0.5,
    ) -> None:
        """Take the options.

        Args:
            shares: of the budget, at which runs are looked at.
            max_seeds: of a candidate.
            least: expected reduction of the regret, in percent, below which nothing is bought.
            close: of what is trained beside the best: value for a step, relative to the best.
        """
        self.shares = tuple(shares)
        self.max_seeds = max_seeds
        self.least = least
        self.close = close

    def next(self, state: State) -> list[Extension]:
        """Return the best extension, and others that are nearly as good, for those who can wait."""
        known = posterior(state.candidates, state.noise, state.settings)
        if outlook(known).regret < state.limits.regret:
            return []
        moment, scale = moments(known), float(known.weights @ known.taus)
        rated: list[tuple[float, Extension]] = []
        for request in self._possible(state):
            if not state.affordable([request]):
                continue
            number = request.candidate
            value = value_of(
                number, request.share, request.seeds, state.candidates[number], moment, scale,
                state.noise, state.settings,
            )  # fmt: skip
            if value >= self.least:
                rated.append((value / state.cost([request]), request))
        rated.sort(key=lambda each: -each[0])
        chosen: list[Extension] = []
        for value, request in rated:
            new = request.candidate not in {each.candidate for each in chosen}
            if new and value >= self.close * rated[0][0] and state.affordable([*chosen, request]):
                chosen.append(request)
        return chosen[: state.parallel]

    def _possible(self, state: State) -> list[Extension]:
        extensions = []
        for number, candidate in enumerate(state.candidates):
            seeds = max(1, candidate.seeds)
            extensions += [Extension(number, s, seeds) for s in self.shares if s > candidate.share]
            if candidate.share == 1 and seeds < self.max_seeds:
                extensions.append(Extension(number, 1.0, seeds + 1))
        return extensions
