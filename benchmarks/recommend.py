"""The default policy of `recommend` on synthetic main tasks of known gains, by kind of world.

python -m benchmarks.recommend [--quick]

The model keeps its default constants also where a world's early gains are closer to the late ones
(crossing below 1); `told` says what it does if it is told. Regret is in percent of the metric.
Nothing is timed: numbers are the same on every machine, but for rounding.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mtl_bench.analysis.recommend.policies.base import Limits
from mtl_bench.analysis.recommend.policies.value import Value
from mtl_bench.analysis.recommend.replay import Replay, replay
from mtl_bench.analysis.recommend.settings import DEVIATIONS, Noise, Settings
from mtl_bench.analysis.recommend.synthetic import SyntheticCurves, World

COUNTS = (5, 10, 30, 100)
BUDGETS = (0.12, 0.25)
ENOUGH = 0.3
"""Regret, in percent, that a search without a limit of its cost ends at."""


@dataclass(frozen=True)
class Scores:
    """What a policy did in a world, over draws of it.

    Attributes:
        world: that curves were drawn from.
        told: whether the model was told the world's crossing.
        budget: share of the steps of training everything.
        median: regret, in percent.
        mean: regret, in percent.
        by_chance: mean regret of as many candidates as that pays for, drawn and trained to the end.
        cost: share of all steps.
        coverage: of the 80 percent intervals at decisions.
    """

    world: World
    told: bool
    budget: float
    median: float
    mean: float
    by_chance: float
    cost: float
    coverage: float


def searches(
    world: World, limits: Limits, draws: int, told: bool = False
) -> Iterator[tuple[Replay, SyntheticCurves]]:
    """Yield the default policy's searches in draws of a world, and their curves."""
    half = world.noise / math.sqrt(2)
    settings = Settings(beta=0.0)
    if told:
        deviations = tuple(world.crossing * each for each in DEVIATIONS)
        settings = replace(settings, deviations=deviations)
    parallel = math.ceil(world.candidates / 10)
    for seed in range(draws):
        curves = SyntheticCurves(world, seed)
        noise = Noise(half, half)
        yield replay(Value(), curves, curves.late, {}, limits, noise, settings, parallel), curves


def scores(world: World, budget: float, draws: int, told: bool = False) -> Scores:
    """Return what the default policy does in a world."""
    found = list(searches(world, Limits(budget), draws, told))
    regrets = [each.regret for each, _ in found]
    return Scores(
        world,
        told,
        budget,
        float(np.median(regrets)),
        float(np.mean(regrets)),
        float(np.mean([by_chance(curves, budget) for _, curves in found])),
        float(np.mean([each.cost for each, _ in found])),
        float(np.nanmean([each.coverage for each, _ in found])),
    )


def by_chance(curves: SyntheticCurves, budget: float) -> float:
    """Return the regret of a random choice of the same cost: k candidates to the end, one seed."""
    count = curves.world.candidates
    k = int((budget * (2 * count + 1) - 1) / 2)
    drawn = np.random.default_rng(curves.seed).permutation(count)[:k]
    best = max(0.0, float(curves.late.max()))
    seen = [curves.gain(f"aux{number}", 1.0, 1) for number in drawn]
    if not seen or max(seen) <= 0:
        return best
    return best - float(curves.late[drawn[int(np.argmax(seen))]])


def growth(crossing: float, draws: int, counts: tuple[int, ...]) -> dict[int, float]:
    """Return the budgets of one task that a search takes until it expects little regret, by K."""
    limits = Limits(1.0, regret=ENOUGH)
    found = {}
    for count in counts:
        world = World(count, noise=0.3, crossing=crossing)
        costs = [each.cost for each, _ in searches(world, limits, draws, told=True)]
        found[count] = float(np.mean(costs)) * (2 * count + 1)
    return found


def draws_of(count: int, quick: bool) -> int:
    """Return how many draws of a world of K candidates are searched."""
    return 2 if quick else {5: 16, 10: 20, 30: 8}.get(count, 2)


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few worlds and draws")
    quick = parser.parse_args().quick
    show_worlds(measure(quick))
    show_growth(quick)


def measure(quick: bool = False) -> Iterator[Scores]:
    """Yield the scores of every world at every budget."""
    counts = (5, 10) if quick else COUNTS
    helps, noises = ((1.0,), (0.3,)) if quick else ((1.0, 0.2), (0.3, 1.0, 2.0))
    for count, helpful, noise, crossing in itertools.product(counts, helps, noises, (1.0, 0.25)):
        world = World(count, helpful=helpful, noise=noise, crossing=crossing)
        for budget in BUDGETS:
            yield scores(world, budget, draws_of(count, quick))
            if crossing < 1:
                yield scores(world, budget, draws_of(count, quick), told=True)


def show_worlds(found: Iterable[Scores]) -> None:
    """Print scores as they come."""
    print("K    help   noise  crossing     budget  regret: median  mean   chance  cost  coverage")
    for each in found:
        world = each.world
        crossing = f"{world.crossing:.2f}{' told' if each.told else ''}"
        print(
            f"{world.candidates:<4d} {'dense' if world.helpful == 1 else 'sparse':6s} "
            f"{world.noise:<6.1f} {crossing:12s} {each.budget:.2f}    {each.median:14.2f} "
            f"{each.mean:5.2f}  {each.by_chance:6.2f}  {each.cost:.2f}  {each.coverage:.2f}",
            flush=True,
        )


def show_growth(quick: bool = False) -> None:
    """Print how the cost of a small expected regret grows with K."""
    print(f"\nBudgets of one task until the expected regret is {ENOUGH} %; noise 0.3, told")
    for crossing in (1.0, 0.25):
        for count, steps in growth(
            crossing, 2 if quick else 3, (5, 10) if quick else COUNTS
        ).items():
            print(
                f"  crossing {crossing:.2f}, K {count:3d}: {steps:7.1f}, {steps / count:.2f} of K"
            )


if __name__ == "__main__":
    main()
