"""Recursive elimination inside the folds: what the paper's best combination is worth."""

from __future__ import annotations

import numpy as np

from mtl_bench.analysis.data.single_runs import Floats
from mtl_bench.analysis.evaluation.folds import FOLDS, Bools
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.predictors.fitting import min_max
from mtl_bench.analysis.predictors.logistic import fit_logistic, linear, with_ones

INNER_RUNS = 4


def eliminate(table: Table, train: Bools) -> Floats:
    """Return [B, N] scores of logistic regression, its columns chosen by the training rows alone.

    For each fit an elimination like that of `printed.eliminate` runs over its training rows, with
    four runs of five inner folds, scaled inside them, and F1 pooled over them. The subset with the
    highest sum of accuracy and F1 is fitted to all training rows.
    """
    return np.array([_one(table, rows) for rows in train])


def _one(table: Table, rows: Bools) -> Floats:
    """Return [N] the scores of one fit."""
    y = table.helps()
    inner = _inner_folds(rows)
    kept = np.arange(len(table.columns))
    best, chosen = -1.0, kept
    while len(kept):
        values = table.values[:, kept]
        learn = rows & ~inner
        x = min_max(values, learn)
        weights = fit_logistic(x, y, learn.astype(np.float64))
        guess = linear(with_ones(x), weights) > 0
        right = (guess == (y > 0))[inner].mean()
        both, said = (guess & (y > 0))[inner].sum(), (guess[inner].sum() + (inner @ y).sum())
        quality = right + (2 * both / said if said else 0)
        if quality > best:
            best, chosen = quality, kept
        kept = np.delete(kept, np.argmin(np.abs(weights[:, :-1].mean(axis=0))))
    x = min_max(table.values[:, chosen], rows[None, :])
    weights = fit_logistic(x, y, rows[None, :].astype(np.float64))
    scores: Floats = linear(with_ones(x), weights)[0]
    return scores


def _inner_folds(rows: Bools) -> Bools:
    """Return [FOLDS * INNER_RUNS, N] the rows that inner folds hold out, among `rows`."""
    held = []
    for run in range(INNER_RUNS):
        order = np.random.default_rng(run).permutation(np.flatnonzero(rows))
        held += [np.isin(np.arange(len(rows)), part) for part in np.array_split(order, FOLDS)]
    return np.array(held)
