"""What a perfect predictor would score, given the noise of the gains that it is scored by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_bench.analysis.evaluation.folds import Folds
from mtl_bench.analysis.evaluation.metrics import METRICS, tally
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.gains.gain import Gain


def ceiling(table: Table, gains: Sequence[Gain], draws: int = 200) -> dict[str, float]:
    """Return the metrics of a predictor that knows the true gains, scored by the measured ones.

    True gains are drawn around the measured labels (normal, their standard errors). The noise of a
    main task's single run is drawn once for all of its gains: it moves them together, and changes
    no ranking of its auxiliaries. The result is empty if an error is not known.

    Args:
        table: N pairs.
        gains: of these pairs, in their order.
        draws: of true gains.
    """
    if any(gain.label_error is None for gain in gains):
        return {}
    error = np.array([gain.label_error or 0.0 for gain in gains])
    shared = np.array([gain.shared for gain in gains])
    tasks = table.tasks()
    main = [tasks.index(task) for task in table.main]
    random = np.random.default_rng(0)
    common = random.standard_normal((draws, len(tasks)))[:, main]
    own = random.standard_normal((draws, len(table)))
    truths = table.gain + error * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
    # One fold of all pairs for each draw: nothing is learned, so nothing is held out.
    everything = np.ones((draws, len(table)), dtype=np.bool_)
    metrics = tally(table, Folds(~everything, everything, draws), truths).metrics()[0]
    return dict(zip(METRICS, metrics.tolist(), strict=True))
