"""Runs estimators, and counts what each would cost by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from mtl_bench.analysis.evaluation.estimators import Estimate
from mtl_bench.estimators.base import Estimator
from mtl_bench.estimators.pilots.pilots import Pilots


def estimates(pilots: Pilots, estimators: Mapping[str, Estimator]) -> Iterator[Estimate]:
    """Yield what each estimator says of all pairs.

    What several look at is made once, and counts for each of them.
    """
    for name, estimator in estimators.items():
        pilots.used.clear()
        before, start = _seconds(pilots), time.perf_counter()
        scores = estimator(pilots)
        own = time.perf_counter() - start - (_seconds(pilots) - before)
        costs = [pilots.costs[part] for part in pilots.used]
        steps = round(sum(cost.steps for cost in costs))
        yield Estimate(name, scores, steps, own + sum(cost.seconds for cost in costs))


def _seconds(pilots: Pilots) -> float:
    return sum(cost.seconds for cost in pilots.costs.values())
