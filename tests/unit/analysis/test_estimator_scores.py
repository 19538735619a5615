"""Which pairs estimators are scored on."""

import math

import numpy as np
import pytest

from mtl_bench.analysis.evaluation.estimators import (
    Estimate,
    common_pairs,
    from_runs,
    score_estimates,
)
from mtl_bench.analysis.measurements import sweep_measurements
from mtl_bench.runs.sweep_folder import read_sweep
from tests.unit.analysis.sweeps import write_run

FINAL = {"a": 0.5, "b": 0.6, "c": 0.7, "d": 0.8}


def measurements(folder, pairs):
    """Runs of four tasks alone, and of some sets."""
    for task, final in FINAL.items():
        write_run(folder, [task], {task: final})
    for n, names in enumerate(pairs):
        tasks = sorted(names)
        finals = {task: FINAL[task] + 0.01 * (n + 2 * k) for k, task in enumerate(tasks)}
        write_run(folder, tasks, finals)
    return sweep_measurements("toy", folder, read_sweep(folder))


def estimate(name, mains="abcd", auxes="abcd"):
    pairs = [(m, a) for m in mains for a in auxes if m != a]
    return Estimate(name, {pair: float(n) for n, pair in enumerate(pairs)}, 0)


def test_all_rows_are_of_the_pairs_that_all_of_them_have(tmp_path):
    measured = measurements(tmp_path, ["ab", "ac", "ad", "bc", "bd", "cd", "abc"])
    table = common_pairs(measured, [estimate("all"), estimate("three", "abc", "abc")])
    assert set(table.main) == set(table.aux) == set("abc")
    assert len(table) == 6
    early = next(each for each in from_runs(measured, table) if "50 %" in each.name)
    assert early.steps == 100 * (3 + 2 * 3) / 2  # of the runs of these pairs, to half of 100
    scores = score_estimates(table, [estimate("all"), *from_runs(measured, table)])
    assert all(math.isfinite(score.values["spearman"]) for score in scores)
    assert measured.steps() == (400, 1600)  # the set of three is no part of the question


def test_estimates_that_say_nothing_do_not_silence_others(tmp_path):
    measured = measurements(tmp_path, ["ab", "ac", "ad", "bc", "bd", "cd"])
    silent = Estimate("silent", dict.fromkeys(estimate("x").scores, math.nan), 0)
    table = common_pairs(measured, [estimate("all"), silent])
    assert len(table) == 12


def test_one_main_task_is_scored_without_an_interval(tmp_path):
    measured = measurements(tmp_path, ["ab", "ac", "ad"])
    table = common_pairs(measured, [estimate("all")])
    # The others have one auxiliary each: there is nothing to order.
    assert set(table.main) == {"a"}
    [score, elsewhere, *_] = score_estimates(table, [estimate("all"), *from_runs(measured, table)])
    assert -1 <= score.values["spearman"] <= 1
    assert math.isnan(score.low["spearman"])
    assert 0 < score.p <= 1
    assert math.isnan(elsewhere.values["spearman"])  # no other main task


def test_two_tasks_have_nothing_to_order(tmp_path):
    assert len(common_pairs(measurements(tmp_path, ["ab"]), [estimate("all")])) == 0


def test_p_needs_a_score_for_every_pair_that_a_permutation_asks_for(tmp_path):
    measured = measurements(tmp_path, ["ab", "ac", "ad"])
    some = estimate("some", mains="a")
    table = common_pairs(measured, [some])
    [score] = score_estimates(table, [some])
    assert score.p is None
    assert np.isfinite(score.values["spearman"])


def test_the_record_leaves_the_main_task_out(tmp_path):
    measured = measurements(tmp_path, ["ab", "ac", "ad", "bc", "bd", "cd"])
    table = common_pairs(measured, [estimate("all")])
    record = from_runs(measured, table)[0].scores
    gains = dict(zip(table.pairs(), table.gain.tolist(), strict=True))
    assert record["a", "d"] == pytest.approx((gains["b", "d"] + gains["c", "d"]) / 2)
