"""What gains with other main tasks tell of a candidate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

Gains = Mapping[tuple[str, str], float]
"""Late gains in percent, by main task and auxiliary."""


def priors(record: Gains, main: str, candidates: Sequence[str]) -> dict[str, float]:
    """Return p_i of each candidate: its mean standardised gain with other main tasks.

    Runs of the main task are left out, whichever role it has in them. Gains are standardised within
    each main task, so that large ones do not decide. The result is divided by its standard
    deviation over all auxiliaries of the record, however few are asked for, or by what it would be
    by chance, 1 / sqrt(main tasks), if that is more. Where the record says nothing of a candidate,
    it is 0.

    Args:
        record: gains of a result set.
        main: the task to recommend for.
        candidates: auxiliaries.
    """
    by_main: dict[str, dict[str, float]] = defaultdict(dict)
    for (other, aux), gain in record.items():
        if main not in (other, *aux.split("+")) and np.isfinite(gain):
            by_main[other][aux] = gain
    standardised: dict[str, list[float]] = defaultdict(list)
    count = 0
    for gains in by_main.values():
        spread = float(np.std(list(gains.values())))
        if len(gains) < 2 or not spread:
            continue
        count += 1
        mean = float(np.mean(list(gains.values())))
        for aux, gain in gains.items():
            standardised[aux].append((gain - mean) / spread)
    if not standardised:
        return dict.fromkeys(candidates, 0.0)
    means = {aux: float(np.mean(own)) for aux, own in standardised.items()}
    scale = max(float(np.std(list(means.values()))), 1 / np.sqrt(count))
    return {name: means.get(name, 0.0) / scale for name in candidates}
