"""What it is worth to train candidates further: the knowledge gradient.

The expected maximum of the means after an observation, less the maximum before, with none at 0
among them (Frazier, Powell and Dayanik, 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtl_bench.analysis.recommend.gaussian import Observations, condition
from mtl_bench.analysis.recommend.model import Posterior
from mtl_bench.analysis.recommend.settings import Candidate, Noise, Settings

NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(40)
DRAWS = 300
"""Of what several candidates may turn out to be, each with its opposite."""

BLOCK = 64
"""Groups at a time: what is known after each takes K numbers several times over."""


@dataclass(frozen=True)
class Worth:
    """What an observation is worth.

    Attributes:
        regret: expected reduction of the regret, in percent.
        change: probability that the choice is another one afterwards.
    """

    regret: float = 0.0
    change: float = 0.0


def worths(
    candidates: Sequence[Candidate],
    groups: Sequence[Sequence[tuple[int, Candidate]]],
    belief: Posterior,
    noise: Noise,
    settings: Settings,
) -> list[Worth]:
    """Return what it is worth to observe candidates of a group further, all at once.

    Means move by what observations take off the covariance of late gains, with tau and z as
    expected, and the single run's part known: it cancels where candidates are compared, and what
    one observation tells of it is less than what those to come will tell.

    Args:
        candidates: K as they are.
        groups: numbers, and the candidates as they would be.
        belief: of the late gains.
        noise: of gains.
        settings: of the model.
    """
    if len(groups) > BLOCK:
        blocks = (groups[start : start + BLOCK] for start in range(0, len(groups), BLOCK))
        return [
            worth
            for block in blocks
            for worth in worths(candidates, block, belief, noise, settings)
        ]
    then = Observations.of(candidates, settings).repeated(len(groups) + 1)
    for row, group in enumerate(groups):
        numbers = [number for number, _ in group]
        then.replace(row, numbers, Observations.of([candidate for _, candidate in group], settings))
    tau, z = (
        np.full((len(groups) + 1, 1), belief.weights @ x) for x in (belief.taus, belief.widths)
    )
    no_single = (replace(noise, shared=0.0), replace(settings, single=0.0))
    after = condition(then, tau, z, *no_single)
    before = after.covariance(-1)
    mean = np.append(belief.mean, 0.0)
    random = np.random.default_rng(0).standard_normal((DRAWS, len(candidates)))
    random = np.concatenate([random, -random])
    result: list[Worth] = []
    for row, group in enumerate(groups):
        if len(group) == 1:  # along a line: an integral
            number = group[0][0]
            off = before[number] - after.covariance_with(row, number)
            change = off / np.sqrt(max(off[number], 1e-9))
            moves, weights = NODES[:, None] * change, NODE_WEIGHTS
        else:
            values, vectors = np.linalg.eigh(before - after.covariance(row))
            root = vectors * np.sqrt(np.maximum(values, 0))
            moves, weights = random @ root.T, np.ones(len(random))
        arms = mean + np.pad(moves, ((0, 0), (0, 1)))  # none, of gain 0, is the last of the arms
        result.append(
            Worth(
                float(weights @ arms.max(axis=1) / weights.sum() - mean.max()),
                float(weights @ (arms.argmax(axis=1) != mean.argmax()) / weights.sum()),
            )
        )
    return result
