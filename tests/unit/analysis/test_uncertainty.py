"""How sure gains are."""

import numpy as np
import pytest

from mtl_bench.analysis.gains.gains import Gain
from mtl_bench.analysis.gains.uncertainty import (
    Late,
    Measured,
    ceiling,
    late,
    measured,
    with_errors,
)
from mtl_bench.runs.curve import CurveRow
from tests.unit.analysis.tables import made_table


def curve(f1, task="a"):
    rows = [CurveRow(n, n, task, "train", 1.0) for n in range(3)]
    return rows + [CurveRow(n, n, task, "dev", 1.0, value) for n, value in enumerate(f1)]


def test_late_evaluations_are_the_last_ones_and_a_trend_is_no_scatter():
    found = late(curve([0.1] * 95 + [0.5, 0.6, 0.7, 0.8, 0.9]), "a")
    assert found.mean == pytest.approx(0.7)
    assert found.sd == pytest.approx(0, abs=1e-12)
    noisy = late(curve(0.5 + np.random.default_rng(0).normal(0, 0.01, 5000)), "a")
    assert noisy.sd == pytest.approx(0.01, rel=0.15)
    assert late(curve([0.1] * 4), "a") is None
    assert late(curve([0.1] * 9), "b") is None


def test_a_gain_is_measured_with_its_floor_of_noise():
    gain = Gain("a", "b", "", {0: 0.5, 1: 0.5}, {0: 0.55, 1: 0.6})
    lates = {("a", 0): Late(0.5, 0.01, 3), ("a+b", 0): Late(0.55, 0.01, 4)}
    found = measured(gain, lates)
    assert (found.seeds, found.gain, found.late) == pytest.approx((2, 15, 10))
    assert found.sd == pytest.approx(50**0.5)
    assert found.floor == pytest.approx(100 * np.hypot(0.01, 0.011) / 0.5)
    assert found.freedom == 3
    assert measured(Gain("a", "b", "", {0: 0.0}, {0: 0.5}), {}) is None


def gain(value, seeds=1, sd=None, floor=None, main="a"):
    return Measured(main, "b", seeds, 0.5, 0.5, value, value, sd, floor, 18)


def test_verdicts_come_from_intervals():
    few = with_errors(
        [gain(1.0, floor=1.0), gain(3.0, floor=1.0), gain(-3.0, floor=1.0), gain(1.0)]
    )
    assert [g.verdict for g in few] == ["within noise", "gain", "loss", "not known"]
    assert (few[1].low, few[1].high) == pytest.approx((3 - 2.101, 3 + 2.101), abs=1e-3)
    pooled = with_errors([gain(3.0, 2, 1.0), gain(3.0, 2, 3.0), gain(3.0, 2, 0.1, main="c")])
    deviation = 5**0.5  # of (1 + 9) / 2, with two degrees of freedom: t = 4.303
    assert pooled[0].error == pooled[1].error == pytest.approx(deviation / 2**0.5)
    assert pooled[0].high == pytest.approx(3 + 4.303 * deviation / 2**0.5, rel=1e-3)
    assert pooled[2].error == pytest.approx(0.1 / 2**0.5)
    assert with_errors([gain(3.0, 4, 0.1, floor=2.0)])[0].error == pytest.approx(1.0)


def test_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(0)
    hits = []
    for _ in range(200):
        seeds = random.normal(2.0, 1.0, size=(9, 3))
        gains = with_errors([gain(float(s.mean()), 3, float(s.std(ddof=1))) for s in seeds])
        hits += [g.low <= 2.0 <= g.high for g in gains]
    assert 0.93 < np.mean(hits) < 0.97


def test_the_ceiling_falls_with_noise():
    table = made_table()
    sure = ceiling(table, [1e-9] * len(table))
    vague = ceiling(table, [10.0] * len(table))
    assert sure["accuracy"] == pytest.approx(1)
    assert sure["spearman"] == pytest.approx(1)
    assert vague["accuracy"] < 0.6
    assert ceiling(table, [None] * len(table)) == {}
