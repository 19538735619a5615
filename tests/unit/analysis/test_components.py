"""Variance components of gains."""

from itertools import permutations

import numpy as np
import pytest

from mtl_bench.analysis.gains.components import NAMES, components


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
    deviations = (2.0, 1.0, 1.5, 0.7, 0.5)
    draws = [drawn(deviations, tasks=7, seeds=3, draw=draw) for draw in range(4)]
    variances = [[components(gains).variance[name] for name in NAMES] for gains in draws]
    # A variance of seven draws has a relative standard deviation of 0.6, a mean of four 0.3.
    assert np.mean(variances, axis=0) == pytest.approx(np.square(deviations), rel=0.6)


def test_noise_alone_is_found_to_be_noise():
    result = components(drawn((0, 0, 0, 0, 1.0), tasks=6, seeds=3))
    assert result.share["noise"] > 0.85
    assert sum(result.share.values()) == pytest.approx(1)
    assert result.low["noise"] <= result.share["noise"] <= result.high["noise"]


def test_one_seed_or_few_tasks_tell_nothing():
    assert components(drawn((1, 1, 1, 1, 1), seeds=1)) is None
    assert components(drawn((1, 1, 1, 1, 1), tasks=3)) is None
