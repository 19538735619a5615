"""The paper's printed numbers come out of its published runs."""

import numpy as np
import pytest

from mtl_bench import published
from mtl_bench.meta.printed import cross_validate, majority
from mtl_bench.meta.study import CURVE, DATA, study_published, write
from mtl_bench.meta.table import make_table, scaled


@pytest.fixture(scope="module")
def table():
    statistics, curves = published.table1(), published.curve_features()
    every = {task: {**statistics[task], **curves[task]} for task in statistics}
    features = {task: {n: of[n] for n in (*DATA, *CURVE)} for task, of in every.items()}
    return make_table(published.gains(), features)


def test_forty_of_ninety_pairs_gain(table):
    assert len(table) == 90
    assert table.helps().sum() == 40
    assert table.values.shape == (90, 42)
    assert (majority(table).accuracy, majority(table).f1) == pytest.approx((5 / 9, 8 / 13))


def test_all_features_score_as_printed_and_coefficients_agree(table):
    score = cross_validate(table)
    accuracy, f1 = published.table3()["all features"]
    assert score.accuracy == pytest.approx(accuracy, abs=0.015)
    assert score.f1 == pytest.approx(f1, abs=0.015)
    printed = published.table4()
    paper = np.array([printed[column] for column in table.columns])
    assert np.corrcoef(paper, score.coefficients)[0, 1] > 0.98
    largest = np.argsort(-np.abs(paper))[:12]
    assert (np.sign(paper[largest]) == np.sign(score.coefficients[largest])).all()


def test_data_features_alone_score_as_printed(table):
    score = cross_validate(table.only(DATA))
    accuracy, f1 = published.table3()["best data features"]
    assert score.accuracy == pytest.approx(accuracy, abs=0.02)
    assert score.f1 == pytest.approx(f1, abs=0.02)


@pytest.mark.slow
def test_the_best_combination_scores_as_printed(tmp_path):
    study = study_published()
    row = next(row for row in study.rows if row.name == "best combination")
    assert (row.accuracy, row.f1) == pytest.approx(row.paper, abs=0.02)
    write(study, tmp_path / "study")
    assert sorted(f.name for f in (tmp_path / "study").iterdir()) == [
        *("coefficients.csv", "features.csv", "gains.csv", "scores.csv", "study.json")
    ]


def test_scaling_takes_each_column_to_0_and_1():
    values = np.array([[1.0, 5.0], [3.0, 5.0], [2.0, 5.0]])
    assert scaled(values).tolist() == [[0, 0], [1, 0], [0.5, 0]]
