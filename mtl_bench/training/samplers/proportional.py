"""Tasks drawn by their sizes; exponent 0 draws uniformly, as the paper does."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.random import Generator


class Proportional:
    """Tasks drawn with probability proportional to size ** exponent.

    >>> sampler = Proportional({"chu": 8936, "pos": 1002}, "pos", exponent=0.0)
    >>> sampler.probabilities
    {'chu': 0.5, 'pos': 0.5}
    """

    uses_main = False

    def __init__(self, sizes: Mapping[str, float], main: str, exponent: float) -> None:  # noqa: ARG002
        """Take sizes, main task and exponent: 0 draws uniformly, 1 by size."""
        if not 0 <= exponent < math.inf:
            raise ValueError(f"exponent is {exponent}; it is a finite number from 0.")
        # Relative to the largest, whose power is always 1: bare sizes overflow at large exponents.
        largest = max(sizes.values())
        shares = {task: (sizes[task] / largest) ** exponent for task in sorted(sizes)}
        total = sum(shares.values())
        self.probabilities = {task: share / total for task, share in shares.items()}
        self._tasks = list(shares)
        self._limits = np.cumsum(list(self.probabilities.values()))

    def __call__(self, step: int, draw: Generator) -> str:  # noqa: ARG002
        """Return the task of a step."""
        place = int(np.searchsorted(self._limits, draw.random(), side="right"))
        # The last limit may round to less than 1, and the draw lie above it.
        return self._tasks[min(place, len(self._tasks) - 1)]
