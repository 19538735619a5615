"""p-values of permutation tests, one for each metric, and their correction for many tests."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.evaluation.metrics import METRICS

DRAWS = 999
"""Permutations of tasks whose scores are of pairs; the true order is counted, too."""

TESTED = ("accuracy", "auc", "spearman")
"""Metrics with a p-value."""

ENOUGH = 20
"""Permutations that score as high, after which a sequential test ends."""


def p_values(compared: Floats, permuted: Floats, enough: int | None = None) -> dict[str, float]:
    """Return how often permuted features score as high, by metric; those that are nan are left out.

    Args:
        compared: [7] metrics of the true features.
        permuted: [D, 7] of permuted ones.
        enough: None: all of them count, and the true order is one of them, so that p is never 0.
            Else the test is sequential (Besag and Clifford, 1991): where so many score as high, p
            is their share up to the last of these.
    """
    result = {}
    for name in TESTED:
        column = METRICS.index(name)
        if not np.isfinite(compared[column]):  # an AUC where no fold has both a gain and a loss
            continue
        higher = np.cumsum(permuted[:, column] >= compared[column])
        if enough and len(higher) and higher[-1] >= enough:
            result[name] = enough / (1 + int(np.argmax(higher >= enough)))
        else:
            result[name] = (1 + int(higher[-1] if len(higher) else 0)) / (1 + len(higher))
    return result


def is_open(compared: Floats, permuted: Floats) -> bool:
    """Return whether further permutations would change the p-value of a sequential test."""
    columns = [METRICS.index(name) for name in TESTED]
    columns = [column for column in columns if np.isfinite(compared[column])]
    counts = (permuted[:, columns] >= compared[columns]).sum(axis=0)
    return bool((counts < ENOUGH).any())


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm, 1979), in the order given.

    Those that are nan are of no test, and stay.

    >>> [round(each, 3) for each in holm([0.01, 0.5, float("nan"), 0.03])]
    [0.03, 0.5, nan, 0.06]
    """
    corrected = [math.nan] * len(p)
    tests = sorted((n for n, each in enumerate(p) if not math.isnan(each)), key=lambda n: p[n])
    largest = 0.0
    for rank, number in enumerate(tests):
        largest = max(largest, min(1.0, (len(tests) - rank) * p[number]))
        corrected[number] = largest
    return corrected


def corrected(tests: Sequence[tuple[str, Mapping[str, float]]]) -> list[dict[str, float]]:
    """Return p-values corrected for all tests of the same metric and kind of folds.

    Args:
        tests: for each score what was held out, and its p-values by metric.
    """
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, (held_out, p) in enumerate(tests):
        for metric in p:
            families[held_out, metric].append(number)
    result: list[dict[str, float]] = [{} for _ in tests]
    for (_, metric), numbers in families.items():
        values = holm([tests[number][1][metric] for number in numbers])
        for number, value in zip(numbers, values, strict=True):
            result[number][metric] = value
    return result


def task_permutations(
    scores: Mapping[tuple[str, str], float], pairs: Sequence[tuple[str, str]]
) -> Floats:
    """Return [1 + D, N] scores of pairs: the true ones, then with the tasks permuted.

    Whose row and column a score stands in is drawn at random (Mantel, 1967), so that scores that
    share a task stay together. nan: a permutation asks for a pair that has no score.

    Args:
        scores: by main task and auxiliary.
        pairs: N of them.
    """
    tasks = sorted({task for pair in pairs for task in pair})
    matrix = np.array([[scores.get((a, b), np.nan) for b in tasks] for a in tasks])
    rows, columns = np.array([[tasks.index(task) for task in pair] for pair in pairs]).T
    random = np.random.default_rng(0)
    orders = [np.arange(len(tasks)), *(random.permutation(len(tasks)) for _ in range(DRAWS))]
    return np.array([matrix[order[rows], order[columns]] for order in orders])


def share_as_high(values: Floats) -> float:
    """Return the share of [1 + D] values that are as high as the first one, that one counted."""
    # The tolerance counts a permutation that changes nothing, whatever its rounding.
    return float((values >= values[0] - 1e-12).mean())
