"""Curves of known gains: what a policy chooses can be compared with the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.recommend.settings import SHARES, Settings

SEEDS = 50


@dataclass(frozen=True)
class World:
    """How curves are made; gains in percent.

    Attributes:
        candidates: K.
        spread: tau, standard deviation of late gains where help is dense.
        mean: mu, mean of late gains where help is dense.
        helpful: share of the candidates that differ from no effect; 1: all of them.
        noise: standard deviation of one gain of one seed; a half of its variance is shared.
        crossing: factor on s(t): how far early gains are from late ones.
        width: standard deviation of z: how much main tasks differ in the spread of early gains.
    """

    candidates: int = 10
    spread: float = 3.0
    mean: float = 0.0
    helpful: float = 1.0
    noise: float = 0.5
    crossing: float = 1.0
    width: float = 1.0


def drawn(world: World, seed: int) -> World:
    """Return a world whose mean and spread are drawn from the model's priors."""
    mean, spread = np.random.default_rng([seed, 1]).standard_normal(2)
    prior = Settings()
    return replace(
        world,
        mean=float(prior.mean_sd * mean),
        spread=float(prior.spread_median * np.exp(prior.spread_log_sd * spread)),
    )


@dataclass(frozen=True)
class SyntheticCurves:
    """Gains of one main task, drawn from a world.

    Deviations at neighbouring shares are correlated, so that curves move and do not jump.

    Attributes:
        world: they are drawn from.
        seed: of the draw.
    """

    world: World
    seed: int
    main: str = "main"
    late: Floats = field(init=False)
    _paths: Floats = field(init=False, repr=False)
    _width: float = field(init=False, repr=False)
    _own: Floats = field(init=False, repr=False)
    _shared: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Draw everything."""
        random, world = np.random.default_rng(self.seed), self.world
        count, most = world.candidates, SEEDS
        late = world.mean + world.spread * random.standard_normal(count)
        late = np.where(random.random(count) < world.helpful, late, 0.0)
        # Walks backwards from the end: the variance at share t is s(t)^2. The last one is the
        # single run's, which enters every gain.
        settings = Settings()
        variances = np.array([settings.deviation(share) ** 2 for share in SHARES])
        steps = np.sqrt(np.maximum(variances[:-1] - variances[1:], 0))
        walks = random.standard_normal((count + 1, len(steps))) * steps
        walks = np.cumsum(walks[:, ::-1], axis=1)[:, ::-1] * world.crossing
        walks[:-1] *= world.spread
        walks[-1] *= settings.mean_sd
        half = world.noise / math.sqrt(2)
        object.__setattr__(self, "late", late)
        object.__setattr__(self, "_paths", np.pad(walks[:-1] + walks[-1], ((0, 0), (0, 1))))
        object.__setattr__(self, "_width", world.width * random.standard_normal() / 2)
        object.__setattr__(self, "_own", half * random.standard_normal((count, most)))
        object.__setattr__(self, "_shared", half * random.standard_normal(most))

    @property
    def candidates(self) -> Sequence[str]:
        """The names of the candidates."""
        return [f"aux{number}" for number in range(self.world.candidates)]

    @property
    def seeds(self) -> int:
        """The seeds that gains can be measured with."""
        return SEEDS

    def gain(self, candidate: str, share: float, seeds: int, single: float = 1.0) -> float:  # noqa: ARG002
        """Return a gain at a share of the budget."""
        number = int(candidate.removeprefix("aux"))
        path = float(np.interp(share, SHARES, self._paths[number]))
        noise = float(self._own[number, :seeds].mean() + self._shared[:seeds].mean())
        square = (self.world.crossing * Settings().deviation(share)) ** 2
        return float((1 + square) ** self._width * (self.late[number] + path)) + noise
