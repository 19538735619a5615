"""Gains of pair runs over single runs."""

import pytest

from mtl_bench.analysis.gains.gains import gains
from mtl_bench.runs.record import Record, TaskRecord
from mtl_bench.runs.sweep_folder import RunStatus, SweepRun


def stored(tasks, f1, seed=0, variant="", state="finished"):
    folder = "/".join(filter(None, ("+".join(tasks), variant, f"seed{seed}")))
    of = {t: TaskRecord(t, "", {}, {}, None, None, "test", {"f1": f1[t]}) for t in tasks}
    record = Record("finished", of, seed, {}, "", {}, 1, 1, {}, None, 1, {}, {}, {})
    return RunStatus(SweepRun(folder, tuple(tasks), seed, 100), state, record)


def test_a_gain_is_the_relative_change_in_percent_paired_by_seed():
    runs = [stored(["a"], {"a": 0.5}), stored(["a"], {"a": 0.4}, 1), stored(["b"], {"b": 0.8})]
    runs += [stored(["a", "b"], {"a": 0.6, "b": 0.6}), stored(["a", "b"], {"a": 0.4, "b": 1.0}, 1)]
    found = {(gain.main, gain.aux): gain for gain in gains(runs)}
    assert found["a", "b"].percent() == pytest.approx({0: 20, 1: 0})
    assert found["a", "b"].mean() == pytest.approx(10)
    assert found["a", "b"].spread() == pytest.approx(14.142, abs=1e-3)
    assert found["b", "a"].percent() == pytest.approx({0: -25})  # seed 1 has no single run
    assert found["b", "a"].spread() is None


def test_missing_failed_and_other_variants_are_never_filled_in():
    runs = [stored(["a"], {"a": 0.5}, variant="lr=1"), stored(["a", "b"], {"a": 0.6, "b": 0.6})]
    assert gains(runs) == []
    runs = [stored(["a"], {"a": 0.5}, state="failed"), stored(["a", "b"], {"a": 0.6, "b": 0.6})]
    assert gains(runs) == []


def test_a_gain_over_nothing_is_undefined_and_over_little_flagged():
    pair = stored(["a", "b"], {"a": 0.6, "b": 0.6})
    [gain] = gains([stored(["a"], {"a": 0.0}), pair])
    assert gain.mean() is None
    assert gain.low()
    assert gains([stored(["a"], {"a": 0.04}), pair])[0].low()


def test_sets_of_three_have_two_auxiliary_tasks():
    runs = [stored(["a"], {"a": 0.5}), stored(["a", "b", "c"], {"a": 0.6, "b": 0.6, "c": 0.6})]
    assert [(gain.main, gain.aux) for gain in gains(runs)] == [("a", "b+c")]
