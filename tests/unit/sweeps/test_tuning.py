"""Tuning: equal trials, extension of the better half, the best at the last rung."""

import math

import pytest

from mtl_bench.analysis.gains.paired_scores import paired_gain
from mtl_bench.commands.hydra.tuned import SetScores, dev_score, summary
from mtl_bench.errors import UserError
from mtl_bench.runs.record_reading import read_record
from mtl_bench.sweeps.tuning import SetTuning, TuningLimits
from tests.unit.analysis.sweeps import write_run

optuna = pytest.importorskip("optuna", reason="the extra `tune` is not installed")
SPACE = {
    "optimizer.lr": {"low": 0.001, "high": 0.1},
    "model.dropout": [0.1, 0.5],
    "sampler.x": [1, 2],
}


def limits(**given):
    return TuningLimits(
        **{"trials": 8, "rungs": [0.25, 0.5, 1.0], "tuning_seed": 7, "space": SPACE} | given
    )


def lr(trial):
    return float(trial.overrides[0].removeprefix("optimizer.lr="))


def run(tuning, score=lr, count=3):
    """Train all trials; return the rungs in the order in which they were trained."""
    rungs = []
    while trials := tuning.next(count):
        for trial in trials:
            rungs.append((trial.rung, trial.number))
            tuning.done(trial, score(trial))
    return rungs


def test_the_better_half_is_extended_and_the_best_is_that_of_the_last_rung():
    tuning = SetTuning("a", ("a", "b"), limits())
    rungs = run(tuning)
    assert [sum(rung == r for rung, _ in rungs) for r in range(3)] == [8, 4, 2]
    assert tuning.best() is max(tuning.trials, key=lr)
    first = {trial.number: lr(trial) for trial in tuning.trials}
    extended = {number for rung, number in rungs if rung == 1}
    assert min(first[n] for n in extended) >= sorted(first.values())[-4]


def test_the_same_scores_give_the_same_trials():
    one, two = (SetTuning("a", ("a",), limits()) for _ in range(2))
    assert run(one) == run(two)
    assert [t.overrides for t in one.trials] == [t.overrides for t in two.trials]


def test_a_trial_that_was_extended_has_the_score_that_it_had_at_its_rung(tmp_path):
    curve = {10: {"a": 0.3, "b": 0.2}, 50: {"a": 0.5, "b": 0.4}, 100: {"a": 0.7, "b": 0.1}}
    write_run(tmp_path, ["a", "b"], {"a": 0.7, "b": 0.1}, curve=curve)
    record = read_record(tmp_path / "a+b/seed0")
    record.config["data"] = {"eval_split": "dev"}
    scores = [dev_score(record, tmp_path / "a+b/seed0", "a", budget) for budget in (10, 50, 100)]
    assert scores == [0.3, 0.5, 0.7]
    assert dev_score(record, tmp_path / "a+b/seed0", "a", 5) == -math.inf


def test_a_single_task_has_no_options_of_the_draw():
    tuning = SetTuning("a", ("a",), limits())
    run(tuning)
    assert not any("sampler" in each for trial in tuning.trials for each in trial.overrides)


def test_trials_that_fail_are_not_chosen():
    tuning = SetTuning("a", ("a",), limits())
    run(tuning, lambda trial: None if trial.number != 3 else lr(trial))
    assert tuning.best().number == 3
    other = SetTuning("a", ("a",), limits())
    run(other, lambda trial: None)
    assert other.best() is None
    assert [trial.rung for trial in tuning.trials].count(0) == 7


@pytest.mark.parametrize(
    "wrong",
    [{"trials": 1}, {"rungs": [0.5]}, {"rungs": ["a", 1.0]}, {"rungs": [0.5, True]}, {"rungs": 0.5},
     {"tuning_seed": -1}, {"tuning_seed": "a"}, {"space": {"x": {"low": "a", "high": "b"}}}, {"rungs": [1.0, 0.5]}, {"rungs": []},
     {"space": {"x": {"low": 1, "high": 1}}}, {"space": {"x": "abc"}}, {"space": {"x": []}}],
)  # fmt: skip
def test_limits_that_mean_nothing_are_answered(wrong):
    with pytest.raises(UserError, match="allowed"):
        limits(**wrong)


def test_a_gain_is_of_paired_seeds_with_a_t_interval():
    gain = paired_gain({0: 0.5, 1: 0.4, 2: 0.5}, {0: 0.55, 1: 0.42, 3: 1.0}, 1)
    # 10 and 5 percent: mean 7.5, error 2.5, t of one degree 12.706
    assert (gain.mean, gain.seeds) == (pytest.approx(7.5), 2)
    assert gain.high == pytest.approx(7.5 + 12.7062 * 2.5, rel=1e-4)
    assert gain.p == pytest.approx(2 * math.atan(2.5 / 7.5) / math.pi)  # one degree: Cauchy's
    assert math.isnan(paired_gain({0: 0.5}, {0: 0.6}, 1).p)
    assert paired_gain({0: 4.0}, {0: 3.0}, -1).mean == 25


def test_the_summary_names_sets_options_and_gains():
    sets = [
        SetScores(("a",), ("optimizer.lr=1",), 8, {0: 0.5, 1: 0.5}, {0: 0.6, 1: 0.5}),
        SetScores(("a", "b"), ("optimizer.lr=2",), 8, {0: 0.55, 1: 0.55}, {0: 0.6, 1: 0.5}),
    ]
    text = summary("a", "F1", 1, sets)
    assert "optimizer.lr=2" in text
    assert "b, untuned: +10.0 % (95% interval +10.0 .. +10.0, 2 seeds)" in text
    assert "b, tuned:   0.0 %" in text
