"""What Section 4.2 of the paper says of its features, tested by permuting them among tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.conclusions import LEVEL
from mtl_bench.analysis.evaluation.baselines import permuted
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.ranks import rank_correlation, rank_correlations
from mtl_bench.paper.claims import Claim, Result

# With the true order, which is counted too, they are 1,000.
DRAWS = 999
SECTION = "4.2"
TEST = "rank correlation with the gain; p (two-sided): permuted features"

Column = tuple[str, str]
Coefficients = Mapping[Column, float]

EXPECTED: dict[str, dict[Column, int]] = {
    "main tasks that flatten early and auxiliaries that are still steep at 20-30 %": {
        ("gradient_20", "main"): 1,
        ("gradient_30", "main"): 1,
        ("gradient_20", "aux"): -1,
        ("gradient_30", "aux"): -1,
    },
    "more labels of the main task": {("labels", "main"): 1},
    "higher label entropy of the auxiliary": {("label_entropy", "aux"): 1},
    "more unknown words of the main task": {("oov_percent", "main"): 1},
    "divergence of train and test tells little": {("jsd", "main"): 0, ("jsd", "aux"): 0},
    "sizes tell little": {("size", "main"): 0, ("size", "aux"): 0, ("size", "ratio"): 0},
}
"""By claim, the columns that it is about, and the sign that their correlation with the gain should
have; 0 for a weak one."""

WORST_FIRST: tuple[Result, ...] = ("contradicted", "not shown", "not contradicted", "holds")


@dataclass(frozen=True)
class Association:
    """How a column goes with the gain: rank correlation, and its p-value."""

    correlation: float
    p: float

    def result(self, sign: int) -> Result:
        """Return whether it is as expected; a weak correlation (0) can only be contradicted."""
        clear = self.p < LEVEL
        if sign == 0:
            return "contradicted" if clear else "not contradicted"
        if not clear:
            return "not shown"
        return "holds" if np.sign(self.correlation) == sign else "contradicted"


def feature_claims(table: Table, coefficients: Coefficients) -> list[Claim]:
    """Return the claims about features, tested."""
    draws = np.array([each.values for each in permuted(table, DRAWS)])
    claims = []
    for claim, expected in EXPECTED.items():
        if not expected.keys() <= set(table.columns):
            claims.append(Claim(SECTION, claim, TEST))
            continue
        associations = {column: _association(table, draws, column) for column in expected}
        numbers = [_numbers(column, a, coefficients) for column, a in associations.items()]
        results = [a.result(expected[column]) for column, a in associations.items()]
        # A claim of several columns holds no better than its weakest part.
        worst = min(results, key=WORST_FIRST.index)
        claims.append(Claim(SECTION, claim, TEST, "; ".join(numbers), worst))
    return [*claims, _ratio_claim(coefficients)]


def _association(table: Table, draws: Floats, column: Column) -> Association:
    number = table.columns.index(column)
    correlation = rank_correlation(table.values[:, number], table.gain)
    of_draws = rank_correlations(draws[:, :, number], table.gain)
    # The tolerance counts a permutation that changes nothing, whatever its rounding.
    as_large = (np.abs(of_draws) >= abs(correlation) - 1e-12).sum()
    return Association(correlation, float((1 + as_large) / (1 + len(draws))))


def _numbers(column: Column, association: Association, coefficients: Coefficients) -> str:
    order = sorted(coefficients, key=lambda each: -abs(coefficients[each]))
    return (
        f"{' '.join(column)} {association.correlation:+.2f}, p = {association.p:.2f}, coefficient "
        f"{coefficients[column]:+.2f} ({order.index(column) + 1}. of {len(order)})"
    )


def _ratio_claim(coefficients: Coefficients) -> Claim:
    claim, test = "ratios of curve features tell less", "mean size of the coefficients"
    curve = {c: abs(v) for c, v in coefficients.items() if c[0].startswith(("gradient", "curve"))}
    ratios = [value for (_, role), value in curve.items() if role == "ratio"]
    others = [value for (_, role), value in curve.items() if role != "ratio"]
    if not ratios or not others:
        return Claim(SECTION, claim, test)
    less = np.mean(ratios) < np.mean(others)
    numbers = f"ratios {np.mean(ratios):.2f}, others {np.mean(others):.2f}"
    return Claim(SECTION, claim, test, numbers, "holds" if less else "contradicted")
