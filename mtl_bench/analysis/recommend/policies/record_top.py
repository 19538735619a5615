"""The candidates that did best with other main tasks, to the end."""

from __future__ import annotations

from mtl_bench.analysis.recommend.policies.base import Extension, State


class RecordTop:
    """Trains the k candidates of the largest p_i to the end."""

    uses_model = False

    def __init__(self, k: int) -> None:
        """Take the number of candidates."""
        self.k = k

    def next(self, state: State) -> list[Extension]:
        """Return the first k, until they are trained."""
        numbers = range(len(state.candidates))
        order = sorted(numbers, key=lambda n: -state.candidates[n].prior)
        return [Extension(n, 1.0) for n in order[: self.k] if state.candidates[n].share < 1]
