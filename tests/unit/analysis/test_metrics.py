"""Metrics of predictions, beside those of scipy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from mtl_bench.analysis.evaluation import baselines
from mtl_bench.analysis.evaluation.folds import HELD_OUT, Folds
from mtl_bench.analysis.evaluation.metrics import METRICS, central_interval, tally, task_interval
from tests.unit.analysis.tables import made_table


def whole(table):
    everything = np.ones((1, len(table)), dtype=bool)
    return Folds(~everything, everything)


def metrics(table, folds, scores):
    return dict(zip(METRICS, tally(table, folds, scores).metrics()[0], strict=True))


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.booleans())
def test_as_others_compute_them(seed, ties):
    table = made_table(tasks=5, seed=seed)
    scores = np.random.default_rng(seed).normal(size=(1, len(table)))
    if ties:
        scores = np.round(scores)
    found = metrics(table, whole(table), scores)
    truth = table.helps()
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, scores[0] > 0))
    assert found["f1"] == pytest.approx(f1_score(truth, scores[0] > 0, zero_division=0))
    if 0 < truth.sum() < len(truth):
        assert found["auc"] == pytest.approx(roc_auc_score(truth, scores[0]))
    main = np.array(table.main)
    own = [(scores[0, main == m], table.gain[main == m]) for m in table.tasks()]
    if all(len(set(s)) > 1 for s, _ in own):
        assert found["spearman"] == pytest.approx(np.mean([spearmanr(*o)[0] for o in own]))
        assert found["kendall"] == pytest.approx(np.mean([kendalltau(*o)[0] for o in own]))
    picks = [g[s == s.max()].mean() for s, g in own]
    assert found["top_gain"] == pytest.approx(np.mean(picks))
    assert found["regret"] == pytest.approx(np.mean([g.max() for _, g in own]) - np.mean(picks))


@given(st.integers(0, 10**6))
@settings(max_examples=10)
def test_intervals_end_at_what_a_metric_can_be(seed):
    table = made_table(tasks=3, seed=seed)
    scores = np.random.default_rng(seed).normal(size=(1, len(table)))
    _, low, high = tally(table, whole(table), scores).with_intervals()
    # Not known (nan) where all pairs gain, or none.
    assert not any(low[metric] < 0 for metric in ("accuracy", "f1", "auc", "regret"))
    assert not any(low[metric] < -1 for metric in ("spearman", "kendall"))
    assert not any(high[metric] > 1 for metric in METRICS[:5])


@pytest.mark.parametrize("name", HELD_OUT)
def test_knowing_nothing_is_worth_nothing_whatever_is_held_out(name):
    table = made_table(tasks=8, seed=3)
    folds = HELD_OUT[name](table, 5)
    found = metrics(table, folds, baselines.majority_of_all(table, folds.train))
    assert found["auc"] == pytest.approx(0.5)
    if name == "unseen_main":
        assert found["spearman"] == 0
    else:  # the auxiliaries of a task were scored by different fits
        assert np.isnan(found["spearman"])


def test_the_oracle_is_right():
    table = made_table()
    folds = HELD_OUT["unseen_main"](table, 1)
    found = metrics(table, folds, baselines.oracle(table, folds.train))
    assert found == pytest.approx(
        {m: 0 if m == "regret" else found["top_gain"] if m == "top_gain" else 1 for m in METRICS}
    )


def test_resampled_tasks_scatter_around_the_metrics():
    table = made_table(tasks=10, seed=1)
    scores = np.random.default_rng(0).normal(size=(1, len(table)))
    parts = tally(table, whole(table), scores)
    drawn = parts.resampled(400)
    assert drawn.shape == (400, len(METRICS))
    np.testing.assert_allclose(
        drawn.mean(axis=0)[[0, 2, 3]], parts.metrics()[0, [0, 2, 3]], atol=0.03
    )
    np.testing.assert_array_equal(tally(table, whole(table), scores).resampled(400), drawn)


def test_a_main_task_that_is_drawn_twice_counts_twice():
    table = made_table(tasks=8, seed=2)
    names = np.array(table.main)
    test = np.array([names == task for task in table.tasks()])  # contests within main tasks alone
    scores = np.repeat(np.random.default_rng(0).normal(size=(1, len(table))), len(test), axis=0)
    parts = tally(table, Folds(~test, test), scores)
    weights = np.array([[2.0, 1, 1, 0, 3, 1, 0, 0]])
    wins, contests = (weights[0] @ each.diagonal() for each in (parts.wins, parts.contests))
    assert parts.metrics(weights)[0, METRICS.index("auc")] == pytest.approx(wins / contests)


@pytest.mark.parametrize("tasks", [6, 10])
def test_an_interval_over_few_tasks_covers_what_it_says(tasks):
    random = np.random.default_rng(0)
    covered, central = [], []
    for _ in range(400):
        scores = random.normal(0.7, 0.2, tasks)
        drawn = scores[random.integers(tasks, size=(300, tasks))].mean(1)[:, None]
        low, high = task_interval(scores.mean(keepdims=True), drawn, tasks)
        covered.append(low[0] <= 0.7 <= high[0])
        low, high = central_interval(drawn)
        central.append(low[0] <= 0.7 <= high[0])
    assert 0.91 < np.mean(covered) < 0.98
    assert np.mean(central) < 0.92
