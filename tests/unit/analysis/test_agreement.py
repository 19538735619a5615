"""Gains beside reference gains."""

import numpy as np
import pytest

from mtl_bench.analysis.evaluation.agreement import agreement

TASKS = [f"t{n}" for n in range(8)]
PAIRS = [(m, a) for m in TASKS for a in TASKS if m != a]


def test_gains_that_follow_the_reference_agree_with_it():
    random = np.random.default_rng(0)
    reference = {pair: random.normal() for pair in PAIRS}
    result = agreement(
        reference, {pair: 3 * reference[pair] + 0.1 * random.normal() for pair in PAIRS}
    )
    assert result.pairs == 56
    assert result.over_all > 0.95
    assert result.within_mains > 0.9
    assert result.interval[0] > 0.9
    assert result.permuted[0] == pytest.approx(-result.permuted[1], abs=0.1)
    assert result.permuted[1] < 0.35
    assert result.p < 0.01


def test_gains_of_something_else_do_not():
    random = np.random.default_rng(1)
    reference, gains = ({pair: random.normal() for pair in PAIRS} for _ in range(2))
    result = agreement(reference, gains)
    assert abs(result.over_all) < 0.35
    assert result.interval[0] < 0 < result.interval[1]
    assert result.p > 0.05


def test_an_interval_over_two_main_tasks_ends_at_what_a_correlation_can_be():
    pairs = [("a", "b"), ("a", "c"), ("a", "d"), ("b", "a"), ("b", "c"), ("b", "d")]
    reference = dict(zip(pairs, (1, 2, 3, 4, 5, 6), strict=True))
    gains = dict(zip(pairs, (2, 1, 3, 6, 4, 5), strict=True))
    low, high = agreement(reference, gains).interval
    assert -1 <= low < high == 1


def test_a_reference_that_lacks_pairs_has_no_p_value():
    random = np.random.default_rng(0)
    reference = {pair: random.normal() for pair in PAIRS if "t0" not in pair or "t1" in pair}
    result = agreement(reference, reference)
    assert result.over_all == pytest.approx(1)
    assert (result.within_mains, result.width) == pytest.approx((1, 0))
    assert np.isnan(result.p)
