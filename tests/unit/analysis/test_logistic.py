"""Many logistic regressions at once are those of liblinear."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from mtl_bench.analysis.predictors.logistic import fit_logistic, linear, with_ones


def liblinear(x, y, rows, c):
    model = LogisticRegression(solver="liblinear", C=c, tol=1e-10, max_iter=10_000)
    model.fit(x[rows > 0], y[rows > 0])
    return np.append(model.coef_[0], model.intercept_)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([0.01, 1.0, 100.0]))
def test_as_liblinear(seed, features, c):
    random = np.random.default_rng(seed)
    x = random.random((30, features)) * random.choice([1, 5])
    y = np.append([0.0, 1.0], (random.random(28) < 0.4).astype(float))
    rows = np.ones((3, 30))
    rows[1, 10:] = 0
    rows[2, 2:20] = 0
    weights = fit_logistic(x, y, rows, c)
    for each, chosen in zip(weights, rows, strict=True):
        np.testing.assert_allclose(each, liblinear(x, y, chosen, c), rtol=1e-3, atol=1e-3)


def test_columns_of_their_own_for_each_fit():
    random = np.random.default_rng(0)
    x, y = random.random((4, 20, 3)), (random.random(20) < 0.5).astype(float)
    rows = np.ones((4, 20))
    together = fit_logistic(x, y, rows)
    for n in range(4):
        np.testing.assert_allclose(together[n], fit_logistic(x[n], y, rows[:1])[0], atol=1e-8)
    assert linear(with_ones(x), together).shape == (4, 20)


def test_rows_of_one_class_give_that_class():
    x = np.random.default_rng(0).random((10, 2))
    weights = fit_logistic(x, np.zeros(10), np.ones((1, 10)))
    assert (linear(with_ones(x), weights) < 0).all()


def test_separable_rows_do_not_diverge():
    x = np.linspace(-1, 1, 20)[:, None]
    weights = fit_logistic(x, (x[:, 0] > 0).astype(float), np.ones((1, 20)), c=1e6)
    assert np.isfinite(weights).all()
    assert weights[0, 0] == pytest.approx(liblinear(x, x[:, 0] > 0, np.ones(20), 1e6)[0], rel=0.05)
