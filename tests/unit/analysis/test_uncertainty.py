"""How sure gains are."""

from dataclasses import replace

import numpy as np
import pytest

from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.evaluation.ceiling import ceiling
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.gains.paired_scores import PairedScores
from mtl_bench.analysis.gains.uncertainty import LateMean, late_mean, pooled, with_errors, with_late
from mtl_bench.analysis.student import quantile
from tests.unit.analysis.tables import made_gain, made_table


def test_late_evaluations_are_the_last_ones_and_a_trend_is_no_scatter():
    late = late_mean(np.array([0.1] * 95 + [0.5, 0.6, 0.7, 0.8, 0.9]))
    assert late.mean == pytest.approx(0.7)
    assert late.sd == pytest.approx(0, abs=1e-12)
    noisy = late_mean(0.5 + np.random.default_rng(0).normal(0, 0.01, 5000))
    assert noisy.sd == pytest.approx(0.01, rel=0.15)
    assert late_mean(np.full(4, 0.1)) is None


@pytest.mark.parametrize(("higher", "percent"), [(True, 10), (False, -10)])
def test_late_evaluations_give_a_gain_a_scatter(higher, percent):
    scores = PairedScores("a", "a+b", "", "dev", {0: 0.5, 1: 0.5}, {0: 0.55, 1: 0.6})
    lates = {
        ("", "a", "a", 0): LateMean("test", 0.5, 5, 0.01, 3),
        ("", "a+b", "a", 0): LateMean("test", 0.55, 6, 0.01, 4),
    }
    metrics = {"a": StudiedMetric("x", "X", higher)}
    gain = with_late(made_gain("a", "b", 15.0), scores, lates, metrics)
    assert gain.late_percent == pytest.approx(percent)
    assert gain.late_sd == pytest.approx(100 * np.hypot(0.01, 0.011) / 0.5)
    assert gain.degrees_of_freedom == 3
    assert (gain.evaluations, gain.late_split) == (6, "test")


def gain(value, seeds=1, sd=None, late_sd=None, main="a"):
    late = {} if late_sd is None else {"late_percent": value, "late_split": "test"}
    return made_gain(main, "b", value, seeds=seeds, seed_sd=sd, late_sd=late_sd, **late)


def test_intervals_come_from_seeds_and_late_evaluations():
    few = with_errors(
        [gain(1.0, late_sd=1.0), gain(3.0, late_sd=1.0), gain(-3.0, late_sd=1.0), gain(1.0)]
    )
    assert [g.effect for g in few] == ["undecided", "helps", "hurts", "not known"]
    assert (few[1].low, few[1].high) == pytest.approx((3 - 2.101, 3 + 2.101), abs=1e-3)
    pooled = with_errors([gain(3.0, 2, 1.0), gain(3.0, 2, 3.0), gain(3.0, 2, 0.1, main="c")])
    # Of (1 + 9) / 2. Two deviations that correlate by a half have 2^2 / (2 + 2 / 4) degrees of freedom.
    deviation, t = 5**0.5, quantile(0.975, 1.6)
    assert pooled[0].error == pooled[1].error == pytest.approx(deviation / 2**0.5)
    assert pooled[0].high == pytest.approx(3 + t * deviation / 2**0.5)
    assert pooled[2].error == pytest.approx(0.1 / 2**0.5)
    assert with_errors([gain(3.0, 4, 0.1, late_sd=2.0)])[0].error == pytest.approx(1.0)


def test_late_evaluations_of_other_data_are_noise_only_where_there_is_one_seed():
    other = replace(gain(3.0, 4, 0.1, late_sd=2.0), late_split="dev", late_percent=1.0)
    assert with_errors([other])[0].error == pytest.approx(0.05)
    assert other.label == 3.0
    one = replace(gain(3.0, late_sd=2.0), late_split="dev")
    assert with_errors([one])[0].error == pytest.approx(2.0)


def test_a_mean_of_evaluations_has_less_of_their_scatter():
    one = replace(gain(3.0, late_sd=2.0), evaluations=16)
    [result] = with_errors([one])
    assert (result.error, result.label_error) == pytest.approx((2.0, 0.5))
    # Of a deviation over seeds of 2.5, 1.5 is there without the scatter of evaluations.
    [result] = with_errors([replace(one, seeds=4, seed_sd=2.5)])
    assert result.error == pytest.approx(1.25)
    assert result.label_error == pytest.approx((1.5**2 + 0.5**2) ** 0.5 / 2)


def test_a_study_predicts_late_means_where_they_measure_the_same():
    assert replace(gain(3.0, late_sd=2.0), late_percent=1.0).label == 1.0
    assert gain(3.0).label == 3.0


def test_intervals_hold_the_true_gain_as_often_as_they_say():
    gains = [each for own in drawn_gains(2.0, pairs=9, draws=2000) for each in with_errors(own)]
    assert 0.94 < np.mean([g.low <= 2.0 <= g.high for g in gains]) < 0.97


def test_two_gains_of_unequal_seeds_share_what_both_have():
    deviation, degrees = pooled([gain(0.0, 5, 1.0), gain(0.0, 2, 3.0), gain(0.0)])
    assert deviation == pytest.approx(((4 * 1 + 1 * 9) / 5) ** 0.5)
    assert degrees == pytest.approx(5**2 / (5 + 2 * 0.5**2))
    assert pooled([gain(0.0)]) == (0, 0)


def test_gains_that_share_a_single_run_are_rarely_taken_for_effects():
    gains = [each for own in drawn_gains(0.0, pairs=9, draws=2000) for each in with_errors(own)]
    assert np.mean([g.p < 0.001 for g in gains]) < 0.001


def drawn_gains(mean, pairs, draws, seeds=3):
    """Gains of one main task over and over; those of a seed share its single run."""
    random = np.random.default_rng(0)
    for _ in range(draws):
        values = mean + random.normal(size=(pairs, seeds)) - random.normal(size=seeds)
        yield [gain(float(v.mean()), seeds, float(v.std(ddof=1))) for v in values]


def with_noise(table, error, shared=0.5):
    gains = [gain(float(each)) for each in table.gain]
    return [replace(each, label_error=error, shared=shared) for each in gains]


def test_the_ceiling_falls_with_noise():
    table = made_table()
    sure = ceiling(table, with_noise(table, 1e-9))
    vague = ceiling(table, with_noise(table, 10.0))
    assert sure["accuracy"] == pytest.approx(1)
    assert sure["spearman"] == pytest.approx(1)
    assert vague["accuracy"] < 0.6
    assert ceiling(table, with_noise(table, None)) == {}


def test_the_ceiling_is_the_root_of_the_share_that_is_true():
    mains = [f"m{n}" for n in range(40) for _ in range(40)]
    auxes = [f"a{n}" for _ in range(40) for n in range(40)]
    labels = np.random.default_rng(0).normal(size=(40, 40))
    labels = (labels - labels.mean(1, keepdims=True)) / labels.std(1, keepdims=True)
    table = Table(tuple(mains), tuple(auxes), labels.ravel(), (), np.empty((len(mains), 0)))
    half = ceiling(table, with_noise(table, (0.5 * 40 / 37) ** 0.5, shared=0.0), draws=20)
    # Spearman's rho of normals that correlate by the root of a half.
    assert half["spearman"] == pytest.approx(6 / np.pi * np.arcsin(0.5**0.5 / 2), abs=0.03)


def test_noise_of_the_single_run_changes_no_ranking_of_its_auxiliaries():
    table = made_table()
    common = ceiling(table, with_noise(table, 10.0, shared=1.0))
    assert common["spearman"] == pytest.approx(1)
    assert common["accuracy"] < 0.7


def test_effects_survive_false_discovery_control():
    sure = [gain(9.0, late_sd=0.5), gain(-9.0, late_sd=0.5)]
    assert [g.effect for g in with_errors(sure)] == ["helps", "hurts"]
    # By itself such a gain would be clear; among many without any effect it is not.
    weak = gain(1.5, late_sd=0.5)
    assert with_errors([weak])[0].effect == "helps"
    assert with_errors([weak, *[gain(0.0, late_sd=0.5)] * 30])[0].effect == "undecided"


def test_without_any_effect_few_gains_are_called_clear():
    every = map(with_errors, drawn_gains(0.0, pairs=20, draws=500))
    assert np.mean([any(each.clear for each in gains) for gains in every]) < 0.05


def test_the_smallest_detectable_gain_is_shown_in_four_of_five_cases():
    random = np.random.default_rng(1)
    true = with_errors([gain(0.0, 400, 1.0)])[0].detectable
    means = true + random.normal(0, 1 / 20, 500)
    shown = [with_errors([gain(float(mean), 400, 1.0)])[0].low > 0 for mean in means]
    assert 0.74 < np.mean(shown) < 0.86
