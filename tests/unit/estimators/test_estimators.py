"""Estimators: what their formulas say, what they cost, and that they change nothing."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from mtl_bench.analysis.evaluation.estimators import Estimate, score_estimates
from mtl_bench.config.compose import compose_run
from mtl_bench.errors import UserError
from mtl_bench.estimators import affinity, gradient_cosine, h_score, label_information, logme, size
from mtl_bench.estimators.estimate import estimates
from mtl_bench.estimators.pilots import joint
from mtl_bench.estimators.pilots.alone import View
from mtl_bench.estimators.pilots.joint import BATCHES, MOMENTS, RATE
from mtl_bench.estimators.pilots.pilots import Pilots
from mtl_bench.training import build
from tests.unit.analysis.tables import made_table

TASKS = ["main=syn_pos", "aux=[syn_key,syn_chu]", "steps_per_task=12"]


@pytest.fixture(scope="module")
def pilots():
    """Three tasks, trained for a few steps."""
    return Pilots(compose_run(TASKS)[0])


def view(labels, states=None, predicted=None):
    labels = np.array(labels)
    states = np.zeros((len(labels), 2)) if states is None else np.array(states, dtype=np.float64)
    return View(states, labels, labels if predicted is None else np.array(predicted))


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


def test_labels_that_tell_all_or_nothing():
    random = np.random.default_rng(0)
    labels = random.integers(4, size=3000)
    assert label_information.share(view(labels)) == pytest.approx(1.0)
    # Many labels tell nothing by chance, either.
    for count in (2, 45, 300):
        chance = view(labels, predicted=random.integers(count, size=3000))
        assert label_information.share(chance) == pytest.approx(0, abs=0.03)
    assert math.isnan(label_information.share(view([0] * 10)))


def test_states_that_say_nothing_have_no_score():
    for score in (logme.evidence, h_score.of_view):
        assert math.isnan(score(view([0, 1, 0, 1])))
        assert math.isnan(score(view([0, 1], [[np.nan, 1.0], [0.0, 1.0]])))
        states = np.random.default_rng(0).normal(size=(30, 4))
        assert math.isnan(score(view([0] * 30, states)))


def test_a_task_without_word_labels_has_no_view():
    arguments = ["main=syn_pos", "aux=[syn_key,lm_syn_chu]", "steps_per_task=2"]
    pilots = Pilots(compose_run(arguments)[0])
    for score in (logme.logme, h_score.h_score, label_information.label_information):
        silent = {pair for pair, value in score(pilots).items() if math.isnan(value)}
        assert silent == {pair for pair in pilots.pairs() if "lm_syn_chu" in pair}
    assert all(map(math.isfinite, affinity.affinity(pilots).values()))


def test_views_are_of_words_and_of_the_tasks_they_name(pilots):
    for (main, aux), each in pilots.views().items():
        count = {t: pilots.setup.prepared.tasks[t].targets.start for t in (main, aux)}
        assert len(each.states) == len(each.labels) == len(each.predicted)
        assert each.labels.max() < count[main]
        assert each.predicted.max() < count[aux]


def test_cosines_are_symmetric_and_those_of_the_gradients(pilots):
    for score in (gradient_cosine.at_start, gradient_cosine.during_pilot):
        scores = score(pilots)
        assert all(scores[m, a] == pytest.approx(scores[a, m]) for m, a in scores)
    tagger = build.make_tagger(pilots.setup.config, pilots.setup.prepared)
    gradients = joint.gradients(pilots.setup, tagger, 0)
    a, b = gradients["syn_pos"], gradients["syn_key"]
    expected = float(a @ b / (a.norm() * b.norm()))
    assert gradient_cosine.at_start(pilots)["syn_pos", "syn_key"] == pytest.approx(expected)


def test_affinity_looks_ahead_without_going_there(pilots):
    tagger = build.make_tagger(pilots.setup.config, pilots.setup.prepared)
    before = {name: value.clone() for name, value in tagger.state_dict().items()}
    gradients = joint.gradients(pilots.setup, tagger, 0)
    ahead = joint.affinities(pilots.setup, tagger, gradients, 0)
    assert all(torch.equal(value, before[name]) for name, value in tagger.state_dict().items())
    # To first order, a step lowers the loss by the rate times the product of the gradients.
    a, b = gradients["syn_pos"], gradients["syn_key"]
    with torch.no_grad():
        losses = [tagger.loss(each) for each in joint.batches(pilots.setup, "syn_pos", 0)]
    loss = float(torch.stack(losses).mean())
    expected, scale = RATE * float(a @ b) / loss, RATE * float(a.norm() * b.norm()) / loss
    assert ahead["syn_pos", "syn_key"] == pytest.approx(expected, abs=0.2 * scale)
    assert set(affinity.affinity(pilots)) == set(pilots.pairs())


def test_costs_are_those_of_what_is_looked_at():
    pilots = Pilots(compose_run(TASKS)[0])
    functions = {
        "start": gradient_cosine.at_start,
        "size": size.size,
        "logme": logme.logme,
        "pilot": gradient_cosine.during_pilot,
        "affinity": affinity.affinity,
        "again": gradient_cosine.at_start,
    }
    results = {}
    for each in estimates(pilots, functions):
        results[each.name] = each
        if each.name == "start":  # which trains nothing
            assert pilots.costs["joint"].steps == 0
    gradients = MOMENTS * 3 * BATCHES
    assert results["size"].steps == 0
    assert results["logme"].steps == 3 * 12
    assert results["start"].steps == results["again"].steps == 3 * BATCHES
    assert results["pilot"].steps == 3 * 12 + gradients
    losses = MOMENTS * BATCHES * 3**2  # of each task, and of each pair after a step
    assert results["affinity"].steps == 3 * 12 + gradients + losses // 3
    # What was made for an estimator before costs this one as well.
    assert results["again"].seconds >= pilots.costs["start"].seconds > 0


def test_a_pilot_that_diverges_names_the_task_and_the_step():
    pilots = Pilots(compose_run([*TASKS, "optimizer=sgd", "optimizer.lr=1e30"])[0])
    for score in (logme.logme, affinity.affinity):
        with pytest.raises(UserError, match=r"loss of task 'syn_\w+' is (nan|inf) at step \d"):
            score(pilots)


def test_an_encoder_that_does_not_train_has_no_gradients():
    pilots = Pilots(compose_run(TASKS)[0])
    tagger = build.make_tagger(pilots.setup.config, pilots.setup.prepared)
    tagger.encoder.requires_grad_(False)
    with pytest.raises(UserError, match="No part of the encoder is trained"):
        joint.gradients(pilots.setup, tagger, 0)


def test_losses_over_positions_are_looked_at_as_they_are_trained():
    extra = ["model.loss_over=positions", "data.max_length=20"]
    pilots = Pilots(compose_run([*TASKS, *extra])[0])
    tagger = build.make_tagger(pilots.setup.config, pilots.setup.prepared)
    [batch, *_] = joint.batches(pilots.setup, "syn_pos", 0)
    with torch.no_grad():
        losses = [float(tagger.train(mode).loss(batch)) for mode in (True, False)]
    assert losses[0] == pytest.approx(losses[1])


def test_the_same_seed_gives_the_same_estimates(pilots):
    again = Pilots(pilots.setup.config)
    for score in (logme.logme, gradient_cosine.during_pilot, affinity.affinity):
        assert score(again) == pytest.approx(score(pilots), nan_ok=True)


def scores_of(table):
    return dict(zip(table.pairs(), table.gain.tolist(), strict=True))


def test_estimates_that_are_the_gains_are_told_from_noise():
    table = made_table(tasks=9)
    noise = dict(zip(table.pairs(), np.random.default_rng(1).random(len(table)), strict=True))
    known, unknown, silent = score_estimates(
        table,
        [
            Estimate("known", scores_of(table), 0),
            Estimate("noise", noise, 0),
            Estimate("silent", dict.fromkeys(noise, math.nan), 0),
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
