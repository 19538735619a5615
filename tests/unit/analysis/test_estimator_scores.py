"""Which pairs estimators are scored on."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mtl_bench.analysis.evaluation.estimators import (
    Estimate,
    common_pairs,
    from_runs,
    score_estimates,
)
from mtl_bench.analysis.evaluation.partial_runs import from_pilots
from mtl_bench.analysis.measurements import sweep_measurements
from mtl_bench.commands.shared import estimates
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
    record, *early = score_estimates(table, from_runs(measured, table))
    assert math.isnan(record.values["spearman"])  # of three tasks one gain is left
    assert all(math.isfinite(score.values["spearman"]) for score in early)
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
    own = np.array(["a" in pair for pair in table.pairs()])
    other = replace(table, gain=np.where(own, 99.0, table.gain))
    one, two = (from_runs(measured, each)[0].scores for each in (table, other))
    assert {one["a", aux] for aux in "bcd"} == {two["a", aux] for aux in "bcd"}
    assert one["b", "d"] != two["b", "d"]


def test_early_gains_of_one_seed_are_compared_with_the_end_of_others(tmp_path):
    sign = {0: 1, 1: -1, 2: -1}  # what helps with the first seed hurts with the others
    for seed, way in sign.items():
        for task in "abc":
            write_run(tmp_path, [task], {task: 0.5}, seed=seed)
        if seed == 0:  # a set of one seed is no part of the question
            write_run(tmp_path, ["a", "b", "c"], dict.fromkeys("abc", 0.5))
        for n, names in enumerate(["ab", "ac", "bc"], 1):
            final = dict.fromkeys(names, 0.5 + way * 0.01 * n)
            write_run(tmp_path, list(names), final, seed=seed)
    measured = sweep_measurements("toy", tmp_path, read_sweep(tmp_path))
    assert {gain.seeds for gain in measured.gains} == {3}
    others = measured.other_seeds
    assert {gain.seeds for gain in others.gains} == {2}
    assert all(gain.gain_percent < 0 for gain in others.gains)
    rows, notes = estimates.score_rows([estimate("all", "abc", "abc")], measured)
    early = next(row for row in rows if row["estimator"] == "early gains, 50 %")
    assert early["rank corr."].startswith("-1.00")
    assert notes[-1] == "early gains: of the first seed, scored by the others"
    [pilots] = from_pilots(measured, common_pairs(measured, []), 50)
    assert pilots.score.values["spearman"] == pytest.approx(-1)


def test_with_one_seed_all_is_of_the_same_runs(tmp_path):
    measured = measurements(tmp_path, ["ab", "ac", "bc"])
    assert measured.other_seeds is measured
    rows, notes = estimates.score_rows([estimate("all", "abc", "abc")], measured)
    assert {row["p"] != "" for row in rows if "early" in row["estimator"]} == {False}
    assert "of the runs that they are scored by" in notes[-1]
