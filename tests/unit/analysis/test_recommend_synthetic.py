"""The default policy on main tasks of known gains: `benchmarks/recommend.py` in small."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.recommend import growth
from mtl_bench.analysis.recommend.model import posterior
from mtl_bench.analysis.recommend.policies.base import Limits, State
from mtl_bench.analysis.recommend.policies.value import Value
from mtl_bench.analysis.recommend.replay import replay
from mtl_bench.analysis.recommend.settings import Candidate, Noise, Settings
from mtl_bench.analysis.recommend.synthetic import SyntheticCurves, World, drawn
from mtl_bench.analysis.recommend.worth import worths

UNINFORMED = Settings(beta=0.0)


def searches(worlds, budget, settings=UNINFORMED):
    for seed, world in enumerate(worlds):
        half = world.noise / math.sqrt(2)
        curves = SyntheticCurves(world, seed)
        noise = Noise(half, half)
        yield replay(Value(), curves, curves.late, {}, Limits(budget), noise, settings)


@pytest.mark.parametrize("noise", [0.3, 2.0])
def test_intervals_cover_what_they_say_at_decisions(noise):
    worlds = [drawn(World(7, noise=noise), seed) for seed in range(20)]
    covered = [each.coverage for each in searches(worlds, 0.25)]
    assert 0.74 < np.nanmean(covered) < 0.86


def test_regret_is_small_at_a_quarter_where_early_gains_tell():
    world = World(10, noise=0.3, crossing=0.25)
    told = replace(UNINFORMED, deviations=tuple(0.25 * s for s in Settings().deviations))
    regrets = [each.regret for each in searches([world] * 12, 0.25, told)]
    assert np.median(regrets) <= 0.3
    assert np.mean(regrets) < 1.2  # a random choice of that cost: 3


def test_the_cost_of_a_small_regret_grows_slower_than_the_candidates():
    steps = growth(0.25, 4, (10, 40))
    assert steps[10] < steps[40] < 3.8 * steps[10]


def test_short_runs_of_all_are_worth_more_than_of_each():
    candidates = [Candidate(str(number)) for number in range(30)]
    known = posterior(candidates, Noise(), UNINFORMED)
    short = [(n, replace(each, share=0.1, gain=0.0, seeds=1)) for n, each in enumerate(candidates)]
    groups = [[short[0]], short]
    alone, together = worths(candidates, groups, known, Noise(), UNINFORMED)
    assert together.regret > 2 * alone.regret > 0


def test_many_candidates_are_trained_side_by_side():
    state = State(tuple(Candidate(str(n)) for n in range(100)), parallel=10)
    requests = Value().next(state)
    assert len({request.candidate for request in requests}) == 10
