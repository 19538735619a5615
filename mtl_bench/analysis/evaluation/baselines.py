"""Baselines of a predictor: predictions without features, or from features without meaning.

Each returns [B, N] scores for B fits, as `predictors.cross_fit` does, and learns from the training
rows of each fit only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, permutations
from math import factorial

import numpy as np

from mtl_bench.analysis.arrays import Bools, Floats
from mtl_bench.analysis.features.pair_table import Table, ratio


def majority_of_all(table: Table, train: Bools) -> Floats:
    """Score every pair by the majority of all training pairs: it orders nothing."""
    # A share of gains above a half becomes a score above 0, which predicts a gain.
    return np.repeat(_mean(table.helps(), train)[:, None] - 0.5, len(table), axis=1)


def majority_of_main(table: Table, train: Bools) -> Floats:
    """Score a pair by the majority of its main task's other pairs; of all pairs if it has none."""
    return _mean_of_same(table.helps(), table.main, train) - 0.5


def mean_gain_of_aux(table: Table, train: Bools) -> Floats:
    """Score a pair by the mean gain that its auxiliary gave to other main tasks."""
    return _mean_of_same(table.gain, table.aux, train)


def size_of_aux(table: Table, train: Bools) -> Floats:
    """Score a pair by the size of its auxiliary: above the median of training rows is a gain."""
    sizes = table.values[:, table.columns.index(("size", "aux"))]
    return np.array([sizes - np.median(sizes[rows]) for rows in train])


def oracle(table: Table, train: Bools) -> Floats:
    """Score a pair by its gain: the best possible predictor."""
    return np.repeat(table.gain[None, :], len(train), axis=0)


def identities(table: Table) -> Table:
    """Return the table with task names as features: a column for each main and each aux task."""
    tasks = sorted({*table.main, *table.aux})
    values = [[t == m for t in tasks] + [t == a for t in tasks] for m, a in table.pairs()]
    columns = [(task, role) for role in ("main", "aux") for task in tasks]
    return table.replaced(columns, np.array(values, dtype=np.float64))


def random_numbers(table: Table, draws: int) -> Iterator[Table]:
    """Yield tables in which each task has as many random numbers as it had features."""
    tasks, features, _ = _features_by_task(table)
    for draw in range(draws):
        numbers = np.random.default_rng(draw).random((len(tasks), len(features)))
        yield _with_features(table, tasks, features, numbers)


def permuted(table: Table, draws: int) -> Iterator[Table]:
    """Yield tables in which the features are permuted among the tasks.

    Gains stay with their pairs, and the features of a task with each other. How often such a table
    scores as high as the true one is the p-value of "these features say nothing of their tasks".
    """
    tasks, features, numbers = _features_by_task(table)
    for order in _orders(len(tasks), draws):
        yield _with_features(table, tasks, features, numbers[list(order)])


def _orders(count: int, draws: int) -> Iterator[Sequence[int]]:
    """Yield orders of tasks other than their own: at random, or all if there are no more."""
    # Few tasks have few orders, so that all of them are tried.
    random = np.random.default_rng(0)
    if factorial(count) <= draws:
        orders = list(islice(permutations(range(count)), 1, None))
        # In any order but theirs, whose first ones change little: a sequential test may stop early.
        yield from (orders[n] for n in random.permutation(len(orders)).tolist())
        return
    number = 0
    while number < draws:
        order = random.permutation(count).tolist()
        # The true order is counted beside the permutations, in `permutation.p_values`.
        if order != list(range(count)):
            number += 1
            yield order


def _features_by_task(table: Table) -> tuple[list[str], list[str], Floats]:
    """Return the tasks, the features, and [T, F] their values."""
    tasks = sorted({*table.main, *table.aux})
    features = list(dict.fromkeys(feature for feature, _ in table.columns))
    numbers = np.full((len(tasks), len(features)), np.nan)
    for row, pair in enumerate(table.pairs()):
        for n, (feature, role) in enumerate(table.columns):
            if role in ("main", "aux"):
                task = pair[role == "aux"]
                numbers[tasks.index(task), features.index(feature)] = table.values[row, n]
    return tasks, features, numbers


def _with_features(
    table: Table, tasks: Sequence[str], features: Sequence[str], numbers: Floats
) -> Table:
    """Return the table with other features for its tasks."""
    main = numbers[[tasks.index(task) for task in table.main]]
    aux = numbers[[tasks.index(task) for task in table.aux]]
    by_role = {"main": main, "aux": aux, "ratio": ratio(main, aux)}
    columns = [by_role[role][:, features.index(feature)] for feature, role in table.columns]
    return table.replaced(table.columns, np.column_stack(columns))


def _mean(values: Floats, rows: Bools) -> Floats:
    """Return [B] the mean of the rows of each fit."""
    result: Floats = (rows @ values) / np.maximum(rows.sum(axis=1), 1)
    return result


def _mean_of_same(values: Floats, tasks: Sequence[str], train: Bools) -> Floats:
    """Return [B, N] the mean over training rows of the same task; over all where there are none."""
    result = np.repeat(_mean(values, train)[:, None], len(values), axis=1)
    for task in set(tasks):
        own = np.array([each == task for each in tasks])
        rows = train & own
        fits = rows.any(axis=1)
        result[np.ix_(fits, own)] = _mean(values, rows)[fits, None]
    return result
