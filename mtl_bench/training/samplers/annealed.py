"""The main task drawn ever more often."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.random import Generator


class Annealed:
    """Draws that move from all tasks to the main task (Kiperwasser and Ballesteros, 2018).

    Their exponential schedule: at step t the auxiliaries share 2^(-t / half_life) times what they
    have in a uniform draw. (There they begin with all.)

    >>> annealed = Annealed({"chu": 8936, "pos": 1002}, "pos", half_life=100)
    >>> annealed.probabilities(0), annealed.probabilities(100)
    ({'chu': 0.5, 'pos': 0.5}, {'chu': 0.25, 'pos': 0.75})
    """

    uses_main = True

    def __init__(self, sizes: Mapping[str, int], main: str, half_life: float) -> None:
        """Take sizes, main task, and the steps after which the auxiliaries' share has halved."""
        if not half_life > 0:
            raise ValueError(f"half_life is {half_life}; it is a number of steps above 0.")
        self.main = main
        self.half_life = half_life
        self.auxiliaries = sorted(sizes.keys() - {main})

    def _of_auxiliary(self, step: int) -> float:
        """Return the probability of each auxiliary."""
        return float(2 ** (-step / self.half_life)) / (len(self.auxiliaries) + 1)

    def probabilities(self, step: int) -> dict[str, float]:
        """Return the probability of each task at a step."""
        each = self._of_auxiliary(step)
        shares = dict.fromkeys(self.auxiliaries, each)
        return shares | {self.main: 1 - each * len(self.auxiliaries)}

    def __call__(self, step: int, draw: Generator) -> str:
        """Return the task of a step."""
        place = int(draw.random() / max(self._of_auxiliary(step), 1e-300))
        return self.auxiliaries[place] if place < len(self.auxiliaries) else self.main
