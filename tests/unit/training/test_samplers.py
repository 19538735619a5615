"""Draws follow from (seed, step), and from nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.training.samplers.annealed import Annealed
from mtl_bench.training.samplers.draws import Draws
from mtl_bench.training.samplers.proportional import Proportional
from mtl_bench.training.samplers.round_robin import RoundRobin
from mtl_bench.training.samplers.weighted import Weighted

SIZES = {"chu": 9000, "pos": 1000, "sem": 4000}


def draws(sampler, steps, seed=3):
    return [sampler(step, Draws(seed).at(step)) for step in steps]


def test_shares_are_those_asked_for():
    for sampler, expected in (
        (Proportional(SIZES, "chu", 0.0), {"chu": 1 / 3, "pos": 1 / 3, "sem": 1 / 3}),
        (Proportional(SIZES, "chu", 1.0), {"chu": 9 / 14, "pos": 1 / 14, "sem": 4 / 14}),
        (Weighted(SIZES, "pos", {"main": 0.8}), {"chu": 0.1, "pos": 0.8, "sem": 0.1}),
        (Weighted(SIZES, "pos", {"sem": 0.5, "pos": 0.5}), {"chu": 0, "pos": 0.5, "sem": 0.5}),
        (RoundRobin(SIZES, "chu"), {"chu": 1 / 3, "pos": 1 / 3, "sem": 1 / 3}),
    ):
        drawn = draws(sampler, range(6000))
        for task, share in expected.items():
            # Four standard deviations of a binomial draw.
            assert drawn.count(task) / 6000 == pytest.approx(share, abs=4 * (0.25 / 6000) ** 0.5)
            assert share > 0 or task not in drawn


def test_round_robin_takes_turns():
    assert draws(RoundRobin(SIZES, "pos"), range(4)) == ["chu", "pos", "sem", "chu"]


@given(st.integers(0, 10**6), st.integers(0, 2**31))
def test_a_stream_can_start_anywhere(step, seed):
    sampler = Proportional(SIZES, "chu", 0.5)
    assert draws(sampler, range(step, step + 3), seed)[2:] == draws(sampler, [step + 2], seed)


@given(st.permutations(list(SIZES)), st.sampled_from(list(SIZES)))
def test_neither_order_nor_main_matters(order, main):
    sizes = {task: SIZES[task] for task in order}
    assert draws(Proportional(sizes, main, 0.5), range(50)) == draws(
        Proportional(SIZES, "chu", 0.5), range(50)
    )


def test_seeds_and_steps_give_different_numbers():
    firsts = {Draws(seed).at(step).random() for seed in range(20) for step in range(20)}
    assert len(firsts) == 400


def test_a_step_draws_the_same_in_any_order_and_after_any_other_draw():
    draws = Draws(5)
    first = draws.at(7).integers(100, size=3).tolist()
    draws.at(3).random()
    assert draws.at(7).integers(100, size=3).tolist() == first
    fresh = np.random.Generator(np.random.Philox(key=np.array([5, 7], dtype=np.uint64)))
    assert fresh.integers(100, size=3).tolist() == first


def test_a_single_task_needs_no_weights():
    assert Weighted({"pos": 10}, "pos", {"main": 0.8}).probabilities == {"pos": 1.0}


@pytest.mark.parametrize(
    "weights", [{"xyz": 0.5}, {"main": 1.2}, {"main": -0.1}, {"chu": 0.1, "pos": 0.1, "sem": 0.1}]
)
def test_impossible_weights_are_refused(weights):
    with pytest.raises(UserError, match=r"sampler\.weights"):
        Weighted(SIZES, "chu", weights)


def test_sentences_are_drawn_without_replacement():
    chosen = Draws(0).at(0).choice(1000, 32, replace=False)
    assert len(np.unique(chosen)) == 32


def test_a_single_run_takes_the_weights_of_pairs():
    assert Weighted({"pos": 3}, "pos", {"chu": 0.7}).probabilities == {"pos": 1.0}


def test_annealed_draws_move_from_uniform_to_the_main_task():
    sampler = Annealed(SIZES, "pos", half_life=500)
    assert sampler.probabilities(0) == pytest.approx({"chu": 1 / 3, "pos": 1 / 3, "sem": 1 / 3})
    assert sampler.probabilities(500) == pytest.approx({"chu": 1 / 6, "pos": 2 / 3, "sem": 1 / 6})
    for start in (0, 500, 2000):
        drawn = draws(sampler, range(start, start + 100))
        expected = np.mean([sampler.probabilities(s)["pos"] for s in range(start, start + 100)])
        assert drawn.count("pos") / 100 == pytest.approx(expected, abs=0.15)
    assert set(draws(sampler, range(10**7, 10**7 + 50))) == {"pos"}


@given(st.integers(0, 10**9), st.floats(1e-3, 1e9))
def test_annealed_probabilities_sum_to_one(step, half_life):
    shares = Annealed(SIZES, "chu", half_life).probabilities(step)
    assert sum(shares.values()) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in shares.values())
