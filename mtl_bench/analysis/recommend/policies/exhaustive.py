"""Every candidate to the end."""

from __future__ import annotations

from mtl_bench.analysis.recommend.policies.base import Extension, State


class Exhaustive:
    """Trains all candidates to the end: the cost that others are compared with."""

    uses_model = False

    def next(self, state: State) -> list[Extension]:
        """Return all that are not at the end."""
        return [Extension(n, 1.0) for n, each in enumerate(state.candidates) if each.share < 1]
