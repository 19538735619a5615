"""Gains beside a known truth."""

import numpy as np
import pytest

from mtl_bench.analysis.gains.agreement import recovery

TASKS = [f"t{n}" for n in range(8)]
PAIRS = [(m, a) for m in TASKS for a in TASKS if m != a]


def test_gains_that_follow_the_truth_recover_it():
    random = np.random.default_rng(0)
    truth = {pair: random.normal() for pair in PAIRS}
    found = recovery(truth, {pair: 3 * truth[pair] + 0.1 * random.normal() for pair in PAIRS})
    assert found.pairs == 56
    assert found.whole > 0.95
    assert found.within > 0.9
    assert found.interval[0] > 0.9
    assert found.shuffled[0] == pytest.approx(-found.shuffled[1], abs=0.1)
    assert found.shuffled[1] < 0.35


def test_gains_of_something_else_do_not():
    random = np.random.default_rng(1)
    truth, gains = ({pair: random.normal() for pair in PAIRS} for _ in range(2))
    found = recovery(truth, gains)
    assert abs(found.whole) < 0.35
    assert found.interval[0] < 0 < found.interval[1]
