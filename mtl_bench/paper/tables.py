"""The paper's own evaluation: Tables 3 and 4, as printed.

Logistic regression (liblinear, C = 1), features scaled to [0, 1] by all rows, 100 runs of shuffled
five-fold cross-validation that splits the PAIRS. Pairs share their main task, so a model can score
by recognising it: these numbers are for comparison with the paper's, and overstate what is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.evaluation.folds import pairs
from mtl_bench.analysis.evaluation.metrics import accuracy_and_f1, choice_counts
from mtl_bench.analysis.features.pair_table import Table, scaled
from mtl_bench.analysis.predictors.logistic import fit_logistic, linear, with_ones

RUNS = 100


@dataclass(frozen=True)
class Table3Row:
    """A row of Table 3: means over runs and folds.

    Attributes:
        columns: number of them.
        accuracy: share of pairs that are right.
        f1: of the class of gains.
        coefficients: [F] of the predictor.
    """

    columns: int
    accuracy: float
    f1: float
    coefficients: Floats


def table3(
    table: Table,
    sets: Mapping[str, Sequence[str]],
    runs: int = RUNS,
    other_gains: Mapping[str, Floats] | None = None,
) -> dict[str, Table3Row]:
    """Return Table 3 for some pairs, by row.

    Args:
        table: with all columns.
        sets: names of features; rows of `data` and `curve` are left out if there is no such set.
        runs: of the cross-validation.
        other_gains: [N] by name, that could as well have been predicted, each in a row of its own.
    """
    parts = {name: table.only(sets[name]) for name in ("all", "data", "curve") if name in sets}
    rows = {
        "majority": always_one_class(table),
        "all features": cross_validate(parts["all"], runs),
    }
    for name in ("data", "curve"):
        if name in parts:
            rows[f"{name} features"] = cross_validate(parts[name], runs)
    if "data" in parts:
        rows["best data features"] = best_subset(parts["data"], runs)
    rows["best combination"] = best_subset(parts["all"], runs)
    for name, gains in (other_gains or {}).items():
        rows[f"all features ({name})"] = cross_validate(replace(parts["all"], gain=gains), runs)
    return rows


def cross_validate(table: Table, runs: int = RUNS) -> Table3Row:
    """Return how well logistic regression tells gains from losses in pairs left out."""
    x, y = scaled(table.values), table.helps()
    folds = pairs(table, runs)
    weights = fit_logistic(x, y, folds.train.astype(np.float64))
    # Each fold has a score of its own, and the table is their mean, as in the paper's code.
    counts = choice_counts(linear(with_ones(x), weights) > 0, y > 0, folds.test)
    accuracy, f1 = accuracy_and_f1(counts.sum(axis=-1))
    means = (float(accuracy.mean()), float(f1.mean()))
    return Table3Row(x.shape[1], *means, weights[:, :-1].mean(axis=0))


def best_subset(table: Table, runs: int = RUNS) -> Table3Row:
    """Return the best of the subsets that recursive elimination visits.

    Starting with all columns, the one with the smallest mean coefficient is dropped each time. The
    best is that with the highest sum of accuracy and F1. It is chosen by the score that is then
    reported, as in the paper: an optimistic number. `nested_elimination` chooses inside folds.
    """
    rows = []
    while table.columns:
        row = cross_validate(table, runs)
        rows.append(row)
        weakest = table.columns[int(np.argmin(np.abs(row.coefficients)))]
        table = table.in_columns([column for column in table.columns if column != weakest])
    return max(rows, key=lambda row: row.accuracy + row.f1)


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


def always_one_class(table: Table) -> Table3Row:
    """Return the accuracy of always predicting the larger class, and the F1 of always gain.

    The paper's row "majority" holds these two, which no one classifier has.
    """
    share = float(table.helps().mean())
    return Table3Row(0, max(1 - share, share), 2 * share / (1 + share), np.zeros(0))
