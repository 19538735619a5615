"""Estimators: what their formulas say, what they cost, and that they change nothing."""

import copy
import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from mtl_bench.analysis.evaluation.estimators import Estimate, score_estimates
from mtl_bench.config.compose import compose_run
from mtl_bench.estimators import affinity, gradient_cosine, h_score, label_information, logme, size
from mtl_bench.estimators.estimate import estimates
from mtl_bench.estimators.pilots import BATCHES, MOMENTS, RATE, Pilots, View
from tests.unit.analysis.tables import made_table


@pytest.fixture(scope="module")
def pilots():
    """Three tasks, trained for a few steps."""
    overrides = ["main=syn_pos", "aux=[syn_key,syn_chu]", "steps_per_task=12"]
    return Pilots(compose_run(overrides)[0])


def view(labels, states=None, predicted=None):
    labels = np.array(labels)
    states = np.zeros((len(labels), 2)) if states is None else np.array(states, dtype=np.float64)
    return View(states, labels, labels if predicted is None else np.array(predicted))


def made_views(pilots, of):
    """Return pilots whose views are all the same."""
    other = copy.copy(pilots)
    other.__dict__["_views"] = dict.fromkeys(pilots.pairs(), of)
    return other


def test_the_evidence_is_that_of_the_best_linear_model():
    random = np.random.default_rng(0)
    states = random.normal(size=(40, 3))
    labels = (states[:, 0] + 0.5 * random.normal(size=40) > 0).astype(int)
    centred = states - states.mean(axis=0)
    target = labels - labels.mean()

    def log_evidence(alpha, beta):
        covariance = np.eye(40) / beta + centred @ centred.T / alpha
        return multivariate_normal.logpdf(target, np.zeros(40), covariance) / 40

    best = max(
        log_evidence(a, b) for a in np.geomspace(1, 100, 60) for b in np.geomspace(2, 30, 60)
    )
    assert logme.evidence(view(labels, states)) == pytest.approx(best, abs=1e-3)


def test_states_that_separate_labels_score_higher():
    random = np.random.default_rng(0)
    labels = random.integers(3, size=300)
    noise = random.normal(size=(300, 4))
    apart = noise.copy()
    apart[:, 0] += 3 * labels
    for score in (logme.evidence, h_score.of_view):
        assert score(view(labels, apart)) > score(view(labels, noise)) + 0.1


def test_labels_that_tell_all_or_nothing(pilots):
    every = made_views(pilots, view([0, 1, 2] * 10))
    assert list(label_information.label_information(every).values()) == pytest.approx([1.0] * 6)
    nothing = made_views(pilots, view([0, 1] * 10, predicted=[0, 0, 1, 1] * 5))
    assert list(label_information.label_information(nothing).values()) == pytest.approx([0.0] * 6)
    one = made_views(pilots, view([0] * 10))
    assert all(math.isnan(each) for each in label_information.label_information(one).values())


def test_a_task_without_word_labels_has_no_view(pilots):
    other = copy.copy(pilots)
    other.__dict__["_views"] = {}
    assert all(math.isnan(each) for each in logme.logme(other).values())
    assert all(math.isnan(each) for each in h_score.h_score(other).values())


def test_views_are_of_words_and_of_the_tasks_they_name(pilots):
    for (main, aux), each in pilots.views.items():
        count = {t: pilots.prepared.tasks[t].targets.start for t in (main, aux)}
        assert len(each.states) == len(each.labels) == len(each.predicted)
        assert each.labels.max() < count[main]
        assert each.predicted.max() < count[aux]


def test_cosines_are_symmetric_and_those_of_the_gradients(pilots):
    for score in (gradient_cosine.at_start, gradient_cosine.during_pilot):
        scores = score(pilots)
        assert all(scores[m, a] == pytest.approx(scores[a, m]) for m, a in scores)
    start = pilots.moments[0].gradients
    a, b = start["syn_pos"], start["syn_key"]
    expected = float(a @ b / (a.norm() * b.norm()))
    assert gradient_cosine.at_start(pilots)["syn_pos", "syn_key"] == pytest.approx(expected)


def test_affinity_looks_ahead_without_going_there(pilots):
    first = pilots.moments[0]
    # To first order, a step lowers the loss by the rate times the product of the gradients.
    a, b = first.gradients["syn_pos"], first.gradients["syn_key"]
    fall = first.losses["syn_pos"] - first.ahead["syn_pos", "syn_key"]
    assert fall == pytest.approx(RATE * float(a @ b), abs=0.2 * RATE * float(a.norm() * b.norm()))
    own = affinity.affinity(pilots)
    assert set(own) == set(pilots.pairs())
    parameters = Pilots(pilots.config)
    seen = {}

    class Watched(type(parameters)):
        def _moment(self, tagger, moment):
            before = {k: v.clone() for k, v in tagger.state_dict().items()}
            result = super()._moment(tagger, moment)
            seen[moment] = all(torch.equal(v, before[k]) for k, v in tagger.state_dict().items())
            return result

    Watched(pilots.config).moments  # noqa: B018 (it is computed when it is asked for)
    assert seen == dict.fromkeys(range(MOMENTS), True)


def test_costs_are_those_of_what_is_looked_at(pilots):
    functions = {
        "size": size.size,
        "logme": logme.logme,
        "start": gradient_cosine.at_start,
        "again": gradient_cosine.at_start,
    }
    results = {each.name: each for each in estimates(pilots, functions)}
    assert results["size"].steps == 0
    assert results["logme"].steps == 3 * 12
    joint = 3 * 12 + round(MOMENTS * BATCHES * 3 * (1 + 4 / 3))
    assert results["start"].steps == results["again"].steps == joint
    # What was trained for an estimator before costs this one as well.
    assert results["again"].seconds >= pilots.seconds["joint"] > 0


def test_the_same_seed_gives_the_same_estimates(pilots):
    again = Pilots(pilots.config)
    for score in (logme.logme, gradient_cosine.during_pilot, affinity.affinity):
        assert score(again) == pytest.approx(score(pilots), nan_ok=True)


def test_estimates_that_are_the_gains_are_told_from_noise():
    table = made_table(tasks=9)
    gains = dict(zip(table.pairs(), table.gain.tolist(), strict=True))
    noise = dict(zip(table.pairs(), np.random.default_rng(1).random(len(table)), strict=True))
    known, unknown, silent = score_estimates(
        table,
        [
            Estimate("known", gains, 0),
            Estimate("noise", noise, 0),
            Estimate("silent", dict.fromkeys(gains, math.nan), 0),
        ],
    )
    assert known.values["spearman"] == pytest.approx(1)
    assert known.values["regret"] == pytest.approx(0)
    assert known.p == pytest.approx(0.001)
    assert known.p_corrected == pytest.approx(0.002)
    assert unknown.p > 0.01
    assert silent.p is None
    assert math.isnan(silent.values["spearman"])


def test_p_is_low_by_chance_as_often_as_it_says():
    low = 0
    for seed in range(40):
        table = made_table(tasks=6, seed=seed)
        scores = dict(zip(table.pairs(), np.random.default_rng(seed).random(30), strict=True))
        low += score_estimates(table, [Estimate("noise", scores, 0)])[0].p <= 0.2
    assert low <= 16  # 8 are expected; 17 or more have a probability below 0.001


def test_pairs_without_an_opinion_are_left_out():
    table = made_table(tasks=6)
    gains = dict(zip(table.pairs(), table.gain.tolist(), strict=True))
    some = {pair: math.nan if "t0" in pair else gain for pair, gain in gains.items()}
    [score] = score_estimates(table, [Estimate("some", some, 0)])
    assert score.values["spearman"] == pytest.approx(1)
