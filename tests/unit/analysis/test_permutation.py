"""p-values of permutation tests, and their correction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.analysis.evaluation.metrics import METRICS
from mtl_bench.analysis.evaluation.permutation import corrected, holm, is_open, p_values


def metrics(values):
    """Return [D, 7] in which every metric has some values."""
    return np.repeat(np.array(values, dtype=np.float64)[:, None], len(METRICS), axis=1)


def test_p_counts_the_true_order():
    p = p_values(metrics([0.5])[0], metrics([0.6, 0.4, 0.5, 0.1]))
    assert p == dict.fromkeys(("accuracy", "auc", "spearman"), pytest.approx(3 / 5))


def test_a_metric_that_is_nan_has_no_p():
    compared = metrics([0.5])[0]
    compared[METRICS.index("auc")] = np.nan
    assert p_values(compared, metrics([0.4])) == {"accuracy": 0.5, "spearman": 0.5}


def test_a_sequential_test_ends_at_its_count_and_is_exact():
    random = np.random.default_rng(0)
    p = []
    for _ in range(400):
        draws = metrics(random.random(201))
        p.append(p_values(draws[0], draws[1:], enough=10)["accuracy"])
    p = np.array(p)
    # Under the null p is below any level as often as it says, at most.
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) <= level + 3 * np.sqrt(level * (1 - level) / len(p))
    assert p_values(metrics([0.5])[0], metrics([0.9] * 30), 10)["auc"] == 1.0
    assert p_values(metrics([0.5])[0], metrics([0.1] * 30), 10)["auc"] == 1 / 31


def test_a_test_is_open_until_every_metric_has_its_count():
    compared = metrics([0.5])[0]
    assert is_open(compared, metrics([0.9] * 19))
    assert not is_open(compared, metrics([0.9] * 20))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_corrected_values_are_larger_in_the_same_order_and_at_most_one(p):
    result = holm(p)
    assert all(value >= min(1, each) for value, each in zip(result, p, strict=True))
    assert max(result) <= 1
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(result)[order]) >= 0).all()
    assert min(result) == pytest.approx(min(1, min(p) * len(p)))


def test_tests_are_corrected_with_those_of_their_metric_and_folds():
    tests = [
        ("pairs", {"accuracy": 0.01, "auc": 0.04}),
        ("pairs", {"accuracy": 0.5}),
        ("unseen_main", {"accuracy": 0.03}),
        ("pairs", {}),
    ]
    assert corrected(tests) == [
        {"accuracy": 0.02, "auc": 0.04},
        {"accuracy": 0.5},
        {"accuracy": 0.03},
        {},
    ]
