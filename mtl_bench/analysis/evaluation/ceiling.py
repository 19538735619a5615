"""What a perfect predictor would score, given the noise of the gains that it is scored by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_bench.analysis.evaluation.folds import Folds
from mtl_bench.analysis.evaluation.metrics import METRICS, tally
from mtl_bench.analysis.features.pair_table import Table


def ceiling(table: Table, errors: Sequence[float | None], draws: int = 200) -> dict[str, float]:
    """Return the metrics of a predictor that knows the true gains, scored by the measured ones.

    True gains are drawn around the measured ones (normal, their standard errors). The result is
    empty if an error is not known.
    """
    if any(error is None for error in errors):
        return {}
    width = np.array([error or 0.0 for error in errors])
    truths = np.random.default_rng(0).normal(table.gain, width, size=(draws, len(table)))
    # One fold of all pairs for each draw: nothing is learned, so nothing is held out.
    everything = np.ones((draws, len(table)), dtype=np.bool_)
    metrics = tally(table, Folds(~everything, everything, draws), truths).metrics()[0]
    return dict(zip(METRICS, metrics.tolist(), strict=True))
