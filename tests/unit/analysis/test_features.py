"""Features of a loss curve."""

import numpy as np
import pytest

from mtl_bench.analysis.data.single_runs import SingleRun, features_of
from mtl_bench.analysis.features.gradients import CurveGradients
from mtl_bench.analysis.features.logcurve import LogCurve, log_curve

STEPS = np.arange(10.0, 5010.0, 10.0)


def run(losses):
    return SingleRun("t", {}, STEPS, np.asarray(losses))


def test_gradients_of_a_straight_line_are_its_slope():
    for window in (0, 2):
        found = CurveGradients(window=window)(run(3 - 0.001 * STEPS))
        assert list(found) == [f"gradient_{p}" for p in (10, 20, 30, 50, 70)]
        assert list(found.values()) == pytest.approx([-0.001] * 5)


def test_a_window_sees_through_noise():
    noise = np.random.default_rng(0).normal(0, 0.05, len(STEPS))
    truth = -0.0005
    errors = {
        window: abs(
            CurveGradients([50], window)(run(3 + truth * STEPS + noise))["gradient_50"] - truth
        )
        for window in (0, 5)
    }
    assert errors[5] < errors[0] / 10


def test_a_short_curve_has_no_gradients():
    short = SingleRun("t", {}, STEPS[:2], np.ones(2))
    assert all(np.isnan(value) for value in CurveGradients()(short).values())


def test_a_log_curve_is_found_again_up_to_what_the_data_determine():
    found = LogCurve()(run(log_curve(STEPS, -0.4, 4.0, 1.5, 40.0)))
    assert found["curve_converged"] == 1
    assert found["curve_rmse"] < 1e-4
    assert found["curve_a"] == pytest.approx(-0.4, rel=1e-2)
    assert found["curve_shift"] == pytest.approx(40 / 1.5, rel=5e-2)


def test_a_curve_of_four_points_has_no_fit():
    found = LogCurve()(SingleRun("t", {}, STEPS[:4], np.ones(4)))
    assert found.pop("curve_converged") == 0
    assert np.isnan(list(found.values())).all()


def test_features_are_means_over_seeds_and_a_failed_fit_is_left_out():
    class Family:
        def names(self):
            return ("x",)

        def __call__(self, run):
            return {"x": run.losses[0]}

    runs = [SingleRun("a", {}, STEPS, np.array([value])) for value in (1.0, 3.0, np.nan)]
    assert features_of(runs, {"f": Family()}) == {"a": {"x": 2.0}}
