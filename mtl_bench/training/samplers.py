"""Which task a training step works on. Every draw follows from (seed, step) alone."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.random import Generator, Philox

from mtl_bench.errors import UserError


class Draws:
    """The random numbers of each step: reproducible without replaying earlier steps."""

    def __init__(self, seed: int) -> None:
        """Take the seed of all steps."""
        self.seed = seed
        self._bits = Philox(0)
        self._generator = Generator(self._bits)

    def at(self, step: int) -> Generator:
        """Return the numbers of a step, in a generator that the next call sets anew."""
        self._bits.state = {  # of Philox(key=[seed, step]), which takes ten times as long to make
            "bit_generator": "Philox",
            "state": {
                "counter": np.zeros(4, np.uint64),
                "key": np.array([self.seed, step], np.uint64),
            },
            "buffer": np.zeros(4, np.uint64),
            "buffer_pos": 4,  # used up
            "has_uint32": 0,
            "uinteger": 0,
        }
        return self._generator


class RoundRobin:
    """The tasks in turn, in the order of their names."""

    def __init__(self, sizes: Mapping[str, int], main: str) -> None:  # noqa: ARG002 (a sampler's signature)
        """Take the number of training sentences by task, and the main task's name."""
        self.tasks = sorted(sizes)

    def __call__(self, step: int, draw: Generator) -> str:  # noqa: ARG002
        """Return the task of a step."""
        return self.tasks[step % len(self.tasks)]


class Proportional:
    """Tasks drawn with probability proportional to size ** exponent.

    >>> sampler = Proportional({"chu": 8936, "pos": 1002}, "pos", exponent=0.0)
    >>> sampler.probabilities
    {'chu': 0.5, 'pos': 0.5}
    """

    def __init__(self, sizes: Mapping[str, int], main: str, exponent: float) -> None:  # noqa: ARG002
        """Take sizes, main task and exponent: 0 draws uniformly, 1 by size."""
        if not math.isfinite(exponent):
            raise ValueError(f"exponent is {exponent}; it is a finite number.")
        largest = max(sizes.values())
        shares = {task: (sizes[task] / largest) ** exponent for task in sorted(sizes)}
        total = sum(shares.values())
        self.probabilities = {task: share / total for task, share in shares.items()}
        self._tasks = list(shares)
        self._limits = np.cumsum(list(self.probabilities.values()))

    def __call__(self, step: int, draw: Generator) -> str:  # noqa: ARG002
        """Return the task of a step."""
        place = int(np.searchsorted(self._limits, draw.random(), side="right"))
        return self._tasks[min(place, len(self._tasks) - 1)]


class Weighted(Proportional):
    """Tasks drawn with given probabilities; those not named share the rest evenly.

    >>> Weighted({"chu": 8936, "pos": 1002, "sem": 15465}, "pos", {"main": 0.8}).probabilities
    {'chu': 0.1, 'pos': 0.8, 'sem': 0.1}
    """

    def __init__(self, sizes: Mapping[str, int], main: str, weights: Mapping[str, float]) -> None:
        """Take sizes, main task, and probabilities by task; `main` stands for the main task."""
        if "main" in weights and main in weights:
            raise UserError(
                f"sampler.weights: {dict(weights)} names the main task '{main}' twice. Take one "
                "out: `~sampler.weights.main`."
            )
        named = {main if task == "main" else task: float(p) for task, p in weights.items()}
        rest = 1 - sum(named.values())
        others = sorted(set(sizes) - set(named))
        unknown = sorted(set(named) - set(sizes))
        if unknown or min(named.values(), default=0) < 0 or rest < -1e-9:
            raise UserError(
                f"sampler.weights: {dict(weights)} for the tasks {', '.join(sorted(sizes))}. Name "
                "only tasks of the run (or 'main'), with probabilities from 0 that sum to at "
                "most 1; tasks not named share the rest."
            )
        if not others and len(sizes) > 1 and abs(rest) > 1e-9:
            raise UserError(f"sampler.weights: {dict(weights)} sum to {1 - rest:g}, not to 1.")
        if len(sizes) == 1:
            named = dict.fromkeys(sizes, 1.0)
        shares = {t: round(named.get(t, rest / max(len(others), 1)), 12) for t in sorted(sizes)}
        super().__init__(shares, main, exponent=1.0)  # type: ignore[arg-type]  # shares for sizes
