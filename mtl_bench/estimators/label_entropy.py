"""The entropy of the auxiliary's labels (Bjerva, 2017; Schröder and Biemann, 2020)."""

from __future__ import annotations

import math

from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.pilots import Pilots


def label_entropy(pilots: Pilots) -> Scores:
    """Return the entropy of the labels of the auxiliary's training words, in nats."""
    entropy = {t: of.get("label_entropy") for t, of in pilots.setup.prepared.statistics.items()}
    values = {task: math.nan if value is None else value for task, value in entropy.items()}
    return {(main, aux): values[aux] for main, aux in pilots.pairs()}
