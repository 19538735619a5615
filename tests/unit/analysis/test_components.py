"""Variance components of gains."""

from itertools import permutations

import numpy as np
import pytest

from mtl_bench.analysis.gains.components import NAMES, components, without_each


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Most tests look at no interval."""
    monkeypatch.setattr("mtl_bench.analysis.gains.components.DRAWS", 3)


def drawn(deviations, tasks=9, seeds=4, draw=0):
    """Gains whose components have some standard deviations."""
    random = np.random.default_rng(draw)
    names = [f"t{n}" for n in range(tasks)]
    of = [random.normal(0, d, size=(tasks, tasks, seeds)) for d in deviations]
    return [
        (
            names[m],
            names[a],
            seed,
            of[0][m, 0, 0]
            + of[1][0, a, 0]
            + of[2][m, a, 0]
            - of[3][m, 0, seed]
            + of[4][m, a, seed],
        )
        for m, a in permutations(range(tasks), 2)
        for seed in range(seeds)
    ]


def test_components_are_those_that_gains_were_drawn_from():
    deviations = np.array([2.0, 1.0, 1.5, 0.7, 1.0])
    shares = []
    for draw in range(6):
        result = components(drawn(deviations, tasks=8, seeds=3, draw=draw))
        shares.append([result.share[name] for name in NAMES])
    expected = deviations**2 / (deviations**2).sum()
    # Eight draws of a variance have a relative standard deviation of a half, means of six 0.2.
    assert np.mean(shares, axis=0) == pytest.approx(expected, abs=0.15)


def test_a_noisy_corpus_does_not_decide_for_all():
    gains = drawn((1.0, 0, 2.0, 0, 1.0), tasks=8, seeds=4)
    louder = [(m, a, s, 25 * g if m == "t0" else g) for m, a, s, g in gains]
    quiet, loud = components(gains), components(louder)
    assert loud.share == pytest.approx(quiet.share, abs=1e-3)


def test_intervals_hold_the_share_that_gains_were_drawn_from(monkeypatch):
    monkeypatch.setattr("mtl_bench.analysis.gains.components.DRAWS", 40)
    inside = 0
    for draw in range(12):
        result = components(drawn((1.0, 0.5, 1.0, 0.5, 1.0), tasks=7, seeds=3, draw=draw))
        inside += result.low["pair"] <= 1 / 3.5 <= result.high["pair"]
    assert inside >= 9


def test_noise_alone_is_found_to_be_noise():
    result = components(drawn((0, 0, 0, 0, 1.0), tasks=6, seeds=3))
    assert result.share["noise"] > 0.85
    assert sum(result.share.values()) == pytest.approx(1)
    assert 0.5 < result.low["noise"] <= result.high["noise"]


def test_one_seed_or_few_tasks_tell_nothing():
    assert components(drawn((1, 1, 1, 1, 1), seeds=1)) is None
    assert components([]) is None
    gains = drawn((1, 1, 1, 1, 1))
    assert components([gain for gain in gains if gain[0] in ("t0", "t1")]) is None
    assert components([gain for gain in gains if gain[1] in ("t0", "t1")]) is None
    assert components([gain for gain in gains if gain[0] in ("t0", "t1", "t2")]) is not None


def test_one_main_task_that_gains_by_itself_is_what_main_tasks_share():
    gains = drawn((0.0, 0.0, 1.0, 0.0, 1.0), tasks=6, seeds=3)
    gains = [(m, a, s, g + 20 * (m == "t0")) for m, a, s, g in gains]
    without = without_each(gains)
    assert without["t0"]["main"] < 0.3 < 0.8 < without["t1"]["main"]
    assert without_each([gain for gain in gains if gain[0] in ("t0", "t1")]) == {}
