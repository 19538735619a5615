"""What an estimator has to do; `size.py` is the one to look at beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mtl_bench.estimators.pilots import Pilots

Scores = dict[tuple[str, str], float]
"""By main task and auxiliary: the higher, the more the auxiliary is expected to help; nan where
an estimator has no opinion."""


class Estimator(Protocol):
    """Scores all pairs of some tasks without training any pair to the end."""

    def __call__(self, pilots: Pilots) -> Scores:
        """Return the scores.

        Args:
            pilots: the tasks, and taggers that are trained for some steps when they are asked for.
        """


@dataclass(frozen=True)
class Estimates:
    """What an estimator found, and what that took.

    Attributes:
        name: of the estimator.
        scores: of all pairs.
        steps: optimiser steps and further gradients, all tasks together.
        seconds: of one process, the training of what it looks at included.
    """

    name: str
    scores: Scores
    steps: int
    seconds: float
