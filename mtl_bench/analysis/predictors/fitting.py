"""Predictors of gain or loss: scikit-learn estimators, fitted many times or kept as plain data."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from mtl_bench.analysis.arrays import Bools, Floats
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.predictors.logistic import fit_logistic, linear, with_ones


def cross_fit(predictor: BaseEstimator, table: Table, train: Bools) -> Floats:
    """Fit a predictor on several choices of rows, and score all rows by each.

    A classifier learns gain or loss, a regressor the gain in percent; scaling and selection are
    steps of the predictor, so they see training rows only.

    Args:
        predictor: is not changed.
        table: N pairs.
        train: [B, N] rows of each fit.

    Returns:
        [B, N] scores; above 0 the predictor predicts a gain.
    """
    strength = _strength(predictor)
    if strength is not None:
        x = with_ones(min_max(table.values, train))
        weights = fit_logistic(x[:, :, :-1], table.helps(), train.astype(np.float64), strength)
        return linear(x, weights)
    return np.array([score(fit(predictor, table, rows), table.values) for rows in train])


def fit(predictor: BaseEstimator, table: Table, rows: Bools | slice = slice(None)) -> BaseEstimator:
    """Return the predictor, fitted to some rows of a table."""
    classifier = is_classifier(predictor)
    target = (table.helps() if classifier else table.gain)[rows]
    if classifier and len(set(target)) == 1:  # which many classifiers refuse
        predictor = DummyClassifier(strategy="prior")
    fitted: BaseEstimator = clone(predictor).fit(table.values[rows], target)
    return fitted


def score(fitted: BaseEstimator, values: Floats) -> Floats:
    """Return [N] the scores of a fitted predictor; above 0 it predicts a gain."""
    if not is_classifier(fitted):
        result: Floats = fitted.predict(values)
        return result
    if len(fitted.classes_) == 1:  # all training rows were of one class
        return np.full(len(values), float(fitted.classes_[0]) - 0.5)
    if hasattr(fitted, "decision_function"):
        decision: Floats = fitted.decision_function(values)
        return decision
    probability: Floats = fitted.predict_proba(values)[:, 1] - 0.5
    return probability


def min_max(values: Floats, train: Bools) -> Floats:
    """Return [B, N, F] columns scaled so that the training rows of each fit span [0, 1]."""
    low = np.where(train[:, :, None], values, np.inf).min(axis=1, keepdims=True)
    high = np.where(train[:, :, None], values, -np.inf).max(axis=1, keepdims=True)
    result: Floats = (values - low) / np.where(high > low, high - low, 1)
    return result


def _strength(predictor: BaseEstimator) -> float | None:
    """Return C if the predictor is the paper's, which can be fitted many times at once."""
    if not isinstance(predictor, Pipeline):
        return None
    steps = [step for _, step in predictor.steps]
    if [type(step) for step in steps] != [MinMaxScaler, LogisticRegression]:
        return None
    scaler, logistic = (step.get_params() for step in steps)
    c = float(logistic["C"])
    # All parameters are compared: a changed one must not be fitted as the paper's.
    same = LogisticRegression(solver="liblinear", C=c).get_params()
    return c if logistic == same and scaler == MinMaxScaler().get_params() else None
