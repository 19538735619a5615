"""What is held out is never learned from."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from mtl_bench.analysis.evaluation import baselines
from mtl_bench.analysis.evaluation.folds import HELD_OUT
from mtl_bench.analysis.evaluation.nested_elimination import nested_elimination
from mtl_bench.analysis.predictors.fitting import cross_fit
from tests.unit.analysis.tables import made_table

LOGISTIC = make_pipeline(MinMaxScaler(), LogisticRegression(solver="liblinear"))
MODELS = {
    "majority": baselines.majority_of_all,
    "main": baselines.majority_of_main,
    "aux": baselines.mean_gain_of_aux,
    "logistic": lambda table, train: cross_fit(LOGISTIC, table, train),
    "lbfgs": lambda table, train: cross_fit(
        make_pipeline(MinMaxScaler(), LogisticRegression()), table, train
    ),
    "forest": lambda table, train: cross_fit(
        RandomForestRegressor(5, random_state=0), table, train
    ),
    "identity": lambda table, train: cross_fit(LOGISTIC, baselines.identities(table), train),
    "nested": nested_elimination,
}


@pytest.mark.parametrize("name", HELD_OUT)
def test_every_pair_is_predicted_once_a_run(name):
    table = made_table()
    folds = HELD_OUT[name](table, 3)
    assert (folds.test.sum(axis=0) == folds.runs).all()
    assert not (folds.train & folds.test).any()
    assert folds.train.any(axis=1).all()


@pytest.mark.parametrize("name", ["unseen_main", "unseen_aux", "both_unseen"])
def test_a_task_held_out_is_nowhere_in_training(name):
    table = made_table()
    main, aux = np.array(table.main), np.array(table.aux)
    folds = HELD_OUT[name](table, 1)
    for train, test in zip(folds.train, folds.test, strict=True):
        seen = {*main[train], *aux[train]}
        new = {"unseen_main": {*main[test]}, "unseen_aux": {*aux[test]}}.get(
            name, {*main[test], *aux[test]}
        )
        assert not seen & new


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", HELD_OUT)
def test_what_is_held_out_changes_no_prediction(name, model):
    table = made_table(tasks=5)
    folds = HELD_OUT[name](table, 1)
    train, test = folds.train[:2], folds.test[:2]
    before = MODELS[model](table, train)
    assert before.shape == (2, len(table))
    for n in range(2):
        other = table.gain.copy()
        other[~train[n]] = 100 * np.random.default_rng(1).normal(size=(~train[n]).sum())
        changed = type(table)(table.main, table.aux, other, table.columns, table.values)
        after = MODELS[model](changed, train[n : n + 1])
        np.testing.assert_allclose(after[0, test[n]], before[n, test[n]], rtol=1e-6)


def test_scaling_sees_training_rows_only():
    table = made_table(tasks=5)
    folds = HELD_OUT["pairs"](table, 1)
    by_hand = [
        LOGISTIC.fit(table.values[rows], table.helps()[rows]).decision_function(table.values)
        for rows in folds.train
    ]
    np.testing.assert_allclose(cross_fit(LOGISTIC, table, folds.train), by_hand, atol=2e-3)
