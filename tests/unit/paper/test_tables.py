"""The paper's printed numbers come out of its published runs."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mtl_bench.analysis.evaluation.folds import pairs
from mtl_bench.analysis.features.pair_table import scaled
from mtl_bench.paper import published
from mtl_bench.paper.tables import always_one_class, best_subset, cross_validate, linear_r2
from tests.unit.analysis.tables import DATA, paper_table


@pytest.fixture(scope="module")
def table():
    return paper_table()


def test_forty_of_ninety_pairs_gain(table):
    assert len(table) == 90
    assert table.helps().sum() == 40
    assert table.values.shape == (90, 42)
    assert (always_one_class(table).accuracy, always_one_class(table).f1) == pytest.approx(
        (5 / 9, 8 / 13)
    )


def test_all_features_score_as_printed_and_coefficients_agree(table):
    score = cross_validate(table)
    assert (score.accuracy, score.f1) == pytest.approx(
        tuple(published.table3().loc["all features"]), abs=0.015
    )
    printed = published.table4()
    paper = np.array([printed[column] for column in table.columns])
    assert np.corrcoef(paper, score.coefficients)[0, 1] > 0.98
    largest = np.argsort(-np.abs(paper))[:12]
    assert (np.sign(paper[largest]) == np.sign(score.coefficients[largest])).all()


def test_it_is_what_a_loop_over_scikit_learn_gives(table):
    folds, x, y = pairs(table, 3), scaled(table.values), table.helps()
    right, coefficients = [], []
    for train, test in zip(folds.train, folds.test, strict=True):
        model = LogisticRegression(solver="liblinear", tol=1e-8, max_iter=1000)
        model.fit(x[train], y[train])
        right.append((model.predict(x[test]) == y[test]).mean())
        coefficients.append(model.coef_[0])
    score = cross_validate(table, 3)
    assert score.accuracy == pytest.approx(np.mean(right))
    np.testing.assert_allclose(score.coefficients, np.mean(coefficients, axis=0), atol=1e-5)


def test_data_features_alone_score_as_printed(table):
    score = cross_validate(table.only(DATA))
    paper = tuple(published.table3().loc["best data features"])
    assert (score.accuracy, score.f1) == pytest.approx(paper, abs=0.02)


def test_the_best_combination_scores_as_printed(table):
    score = best_subset(table)
    paper = tuple(published.table3().loc["best combination"])
    assert (score.accuracy, score.f1) == pytest.approx(paper, abs=0.02)
    assert 10 <= score.columns <= 25


def test_least_squares_on_the_magnitude_is_worse_than_the_mean(table):
    assert linear_r2(table, 10) < 0
