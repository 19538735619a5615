"""Recursive elimination inside the folds: what the paper's best combination is worth."""

from __future__ import annotations

import numpy as np

from mtl_bench.analysis.arrays import Bools, Floats
from mtl_bench.analysis.evaluation.folds import shuffled_folds
from mtl_bench.analysis.evaluation.metrics import accuracy_and_f1, choice_counts
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.predictors.fitting import min_max
from mtl_bench.analysis.predictors.logistic import fit_logistic, linear, with_ones

INNER_RUNS = 4


def nested_elimination(table: Table, train: Bools) -> Floats:
    """Return [B, N] scores of logistic regression, its columns chosen by the training rows alone.

    For each fit an elimination like that of `paper.tables.best_subset` runs over its training rows,
    with four runs of five inner folds, scaled inside them, and F1 pooled over them. The subset with
    the highest sum of accuracy and F1 is fitted to all training rows.
    """
    return np.array([_one_fit(table, rows) for rows in train])


def _one_fit(table: Table, rows: Bools) -> Floats:
    """Return [N] the scores of one fit."""
    y = table.helps()
    inner = shuffled_folds(rows, INNER_RUNS)
    learn = rows & ~inner
    columns = np.arange(len(table.columns))
    best, best_columns = -1.0, columns
    while len(columns):
        x = min_max(table.values[:, columns], learn)
        weights = fit_logistic(x, y, learn.astype(np.float64))
        counts = choice_counts(linear(with_ones(x), weights) > 0, y > 0, inner)
        accuracy, f1 = accuracy_and_f1(counts.sum(axis=(0, 2)))
        if accuracy + f1 > best:
            best, best_columns = float(accuracy + f1), columns
        # Columns are scaled, so that their weights can be compared.
        columns = np.delete(columns, np.argmin(np.abs(weights[:, :-1].mean(axis=0))))
    x = min_max(table.values[:, best_columns], rows[None, :])
    weights = fit_logistic(x, y, rows[None, :].astype(np.float64))
    scores: Floats = linear(with_ones(x), weights)[0]
    return scores
