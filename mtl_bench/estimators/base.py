"""What an estimator has to do; `size.py` is the one to look at beside it."""

from __future__ import annotations

from typing import Protocol

from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.pilots import Pilots


class Estimator(Protocol):
    """Scores all pairs of some tasks without training any pair to the end."""

    def __call__(self, pilots: Pilots) -> Scores:
        """Return the scores of all pairs; nan where the estimator has no opinion.

        Args:
            pilots: the tasks, and taggers that are trained for some steps when they are asked for.
        """
