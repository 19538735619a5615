"""What a perfect predictor would score, given the noise of the gains that it is scored by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.evaluation.folds import Folds
from mtl_bench.analysis.evaluation.metrics import Values, by_metric, tally
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.gains.gain import Gain


def ceiling(table: Table, gains: Sequence[Gain], draws: int = 200) -> Values:
    """Return the metrics of a predictor that knows the true gains, scored by the measured ones.

    True gains are drawn given the measured labels. Of the n labels of a main task, whose squared
    differences from their mean add up to s, and whose noise has variance e, the share
    k = max(0, 1 - (n - 3) e / s) is true (Efron and Morris, 1973; for n up to 3 all of it), so that
    a true gain is normal around the mean plus k times the label's difference from it, with variance
    k e. The noise of the single run is drawn once for all gains of a main task: it moves them
    together, and changes no ranking of its auxiliaries. The result is empty if an error is not
    known.

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
    centre, true = _true_shares(table, error**2 * (1 - shared))
    truths = centre + true * (table.gain - centre)
    truths = truths + error * (np.sqrt(shared) * common + np.sqrt(true * (1 - shared)) * own)
    # One fold of all pairs for each draw: nothing is learned, so nothing is held out.
    everything = np.ones((draws, len(table)), dtype=np.bool_)
    metrics = tally(table, Folds(~everything, everything, draws), truths).metrics()[0]
    return by_metric(metrics)


def _true_shares(table: Table, noise: Floats) -> tuple[Floats, Floats]:
    """Return [N] means of main tasks' labels, and the shares of their variance that are true."""
    means, shares = np.empty(len(table)), np.ones(len(table))
    main = np.array(table.main)
    for task in table.tasks():
        own = main == task
        means[own] = table.gain[own].mean()
        square = ((table.gain[own] - means[own]) ** 2).sum()
        if own.sum() > 3 and square:
            shares[own] = max(0.0, 1 - (own.sum() - 3) * noise[own].mean() / square)
    return means, shares
