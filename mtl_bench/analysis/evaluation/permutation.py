"""p-values of permutation tests, one for each metric, and their correction for many tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.evaluation.metrics import METRICS

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

    >>> [round(each, 3) for each in holm([0.01, 0.5, 0.03])]
    [0.03, 0.5, 0.06]
    """
    corrected = [0.0] * len(p)
    largest = 0.0
    for rank, number in enumerate(sorted(range(len(p)), key=lambda each: p[each])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[number]))
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
