"""Some candidates, drawn at random, to the end."""

from __future__ import annotations

import numpy as np

from mtl_bench.analysis.recommend.policies.base import Extension, State


class RandomChoice:
    """Trains k candidates to the end."""

    uses_model = False

    def __init__(self, k: int, seed: int = 0) -> None:
        """Take the number of candidates, and the seed of the draw."""
        self.k, self.seed = k, seed

    def next(self, state: State) -> list[Extension]:
        """Return those drawn, until they are trained."""
        order = np.random.default_rng(self.seed).permutation(len(state.candidates))
        drawn = sorted(int(number) for number in order[: self.k])
        return [Extension(n, 1.0) for n in drawn if state.candidates[n].share < 1]
