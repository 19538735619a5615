"""Runs estimators, and counts what each would cost by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from mtl_bench.estimators.base import Estimates, Estimator
from mtl_bench.estimators.pilots import Pilots


def estimates(pilots: Pilots, estimators: Mapping[str, Estimator]) -> Iterator[Estimates]:
    """Yield what each estimator says of all pairs.

    Taggers that several look at are trained once, and count for each of them.
    """
    for name, estimator in estimators.items():
        pilots.used.clear()
        trained, start = sum(pilots.seconds.values()), time.perf_counter()
        scores = estimator(pilots)
        own = time.perf_counter() - start - (sum(pilots.seconds.values()) - trained)
        yield Estimates(
            name,
            scores,
            sum(pilots.steps[each] for each in pilots.used),
            own + sum(pilots.seconds[each] for each in pilots.used),
        )
