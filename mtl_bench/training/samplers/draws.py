"""Random numbers that follow from (seed, step) alone."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator, Philox


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
