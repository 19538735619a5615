"""The auxiliary's size: more sentences, more to learn from."""

from __future__ import annotations

from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.pilots import Pilots


def size(pilots: Pilots) -> Scores:
    """Return the number of the auxiliary's training sentences."""
    return {
        (main, aux): float(len(pilots.setup.prepared.train[aux])) for main, aux in pilots.pairs()
    }
