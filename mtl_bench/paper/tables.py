"""The paper's own evaluation: Tables 3 and 4, as printed.

Logistic regression (liblinear, C = 1), features scaled to [0, 1] by all rows, 100 runs of shuffled
five-fold cross-validation that splits the PAIRS. Pairs share their main task, so a model can score
by recognising it: these numbers are here to be compared with the paper's, not to be believed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.data.single_runs import Floats
from mtl_bench.analysis.evaluation.folds import pairs
from mtl_bench.analysis.features.pair_table import Table, scaled
from mtl_bench.analysis.predictors.logistic import fit_logistic, linear, with_ones

RUNS = 100


@dataclass(frozen=True)
class Score:
    """Means over runs and folds.

    Attributes:
        features: number of columns.
        accuracy: share of pairs that are right.
        f1: of the class of gains.
        coefficients: [F] of the predictor.
    """

    features: int
    accuracy: float
    f1: float
    coefficients: Floats


def cross_validate(table: Table, runs: int = RUNS) -> Score:
    """Return how well logistic regression tells gains from losses in pairs left out."""
    x, y = scaled(table.values), table.helps()
    folds = pairs(table, runs)
    weights = fit_logistic(x, y, folds.train.astype(np.float64))
    guess = linear(with_ones(x), weights) > 0
    right = ((guess == (y > 0)) & folds.test).sum(axis=1) / folds.test.sum(axis=1)
    both = (guess & (y > 0) & folds.test).sum(axis=1)
    total = ((guess + y) * folds.test).sum(axis=1)
    f1 = np.where(total > 0, 2 * both / np.maximum(total, 1), 0)
    return Score(x.shape[1], float(right.mean()), float(f1.mean()), weights[:, :-1].mean(axis=0))


def eliminate(table: Table, runs: int = RUNS) -> Score:
    """Return the best of the subsets that recursive elimination visits.

    Starting with all columns, the one with the smallest mean coefficient is dropped each time. The
    best is that with the highest sum of accuracy and F1. It is chosen by the score that is then
    reported, as in the paper: an optimistic number. `evaluation.elimination` chooses inside folds.
    """
    visited = []
    while table.columns:
        score = cross_validate(table, runs)
        visited.append(score)
        weakest = int(np.argmin(np.abs(score.coefficients)))
        kept = [n for n in range(len(table.columns)) if n != weakest]
        table = table.replaced([table.columns[n] for n in kept], table.values[:, kept])
    return max(visited, key=lambda score: score.accuracy + score.f1)


def linear_r2(table: Table, runs: int = RUNS) -> float:
    """Return how much of the gains' variance least squares predicts, in pairs left out.

    The paper's footnote: "predict the magnitude [...] with linear regression". 1 is all of it, 0
    what their mean predicts; below that it is worse.
    """
    x = with_ones(scaled(table.values))
    errors = []
    folds = pairs(table, runs)
    for train, test in zip(folds.train, folds.test, strict=True):
        weights, *_ = np.linalg.lstsq(x[train], table.gain[train], rcond=None)
        errors.append(float(((x[test] @ weights - table.gain[test]) ** 2).sum()))
    return 1 - sum(errors) / runs / float(((table.gain - table.gain.mean()) ** 2).sum())


def majority(table: Table) -> Score:
    """Return the accuracy of always saying loss, and the F1 of always saying gain.

    The paper's row "majority" holds these two, which no one classifier has.
    """
    share = float(table.helps().mean())
    return Score(0, max(1 - share, share), 2 * share / (1 + share), np.zeros(0))
