"""Every candidate for a part of the budget."""

from __future__ import annotations

from mtl_bench.analysis.recommend.policies.base import Extension, State, checked_shares


class Pilots:
    """Trains all candidates to a share of the budget."""

    uses_model = False

    def __init__(self, share: float) -> None:
        """Take the share."""
        (self.share,) = checked_shares([share])

    def next(self, state: State) -> list[Extension]:
        """Return those that are not there yet."""
        candidates = enumerate(state.candidates)
        return [Extension(n, self.share) for n, each in candidates if each.share < self.share]
