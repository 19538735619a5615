"""The answer for a main task: which auxiliary, how sure, at what cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.recommend.decisions import outlook
from mtl_bench.analysis.recommend.model import Candidate, Noise, Settings, posterior
from mtl_bench.analysis.recommend.observations import SweepCurves

Status = Literal["recommended", "runner-up", "stopped", "not trained", "failed"]

WEAK = 4.0
"""Degrees of freedom of the prior of noise: as much as five seeds would tell."""


@dataclass(frozen=True)
class Row:
    """What is known of an auxiliary; gains in percent, of the late evaluations at the full budget.

    Attributes:
        aux: auxiliary, or a set of them joined by `+`.
        gain: expected.
        points: expected, in points of the metric.
        low: lower end of the 80 percent interval of the gain.
        high: its upper end.
        helps: probability that the gain is above 0.
        best: probability that it is the best of all, none included.
        trained: steps per task to which it is trained.
        seeds: pairs of runs.
        observed: gain so far, at that budget; None without one.
        status: of the candidate.
    """

    aux: str
    gain: float
    points: float
    low: float
    high: float
    helps: float
    best: float
    trained: float
    seeds: int
    observed: float | None
    status: Status


@dataclass(frozen=True)
class Recommendation:
    """The answer for a main task.

    Attributes:
        main: task.
        metric: that gains are of.
        alone: its late value without an auxiliary, mean over seeds.
        budget: steps per task that gains are predicted for.
        choice: auxiliary; None: train the main task alone.
        regret: expected loss against the best of the candidates and none, in points.
        cost: share of the steps of training all candidates to the end with one seed.
        steps: trained, all runs together.
        rows: of the candidates, the best first.
    """

    main: str
    metric: str
    alone: float
    budget: float
    choice: str | None
    regret: float
    cost: float
    steps: int
    rows: Sequence[Row]

    def plain(self) -> dict[str, Any]:
        """Return plain values; what is not finite is None."""
        plain: dict[str, Any] = _finite(asdict(self))
        return plain


def recommend(
    curves: SweepCurves,
    metric: StudiedMetric,
    prior: Mapping[str, float],
    settings: Settings,
    failed: Sequence[str] = (),
) -> Recommendation:
    """Return the answer that runs so far give.

    Args:
        curves: of the main task.
        metric: that gains are of.
        prior: p_i by candidate.
        settings: of the model.
        failed: candidates without a usable run, because it failed.
    """
    candidates = observed(curves, prior)
    known = posterior(candidates, noise_of(curves), settings)
    said = outlook(known)
    alone = float(np.mean([curve.late() for curve in curves.alone.values()]))
    points = metric.scale * alone / 100
    order = np.argsort(-known.mean)
    runner_up = next((int(n) for n in order if n != said.choice), None)
    rows = []
    for number in order:
        each = candidates[number]
        status: Status = "stopped"
        if number == said.choice:
            status = "recommended"
        elif each.name in failed:
            status = "failed"
        elif not each.share:
            status = "not trained"
        elif number == runner_up and said.best[number] >= 0.1:
            status = "runner-up"
        rows.append(
            Row(
                aux=each.name,
                gain=float(known.mean[number]),
                points=float(known.mean[number]) * points,
                low=float(said.low[number]),
                high=float(said.high[number]),
                helps=float(said.helps[number]),
                best=float(said.best[number]),
                trained=each.share * curves.budget,
                seeds=each.seeds,
                observed=each.gain if each.share else None,
                status=status,
            )
        )
    pairs = [curve.end for runs in curves.beside.values() for curve in runs.values()]
    steps = 2 * sum(pairs) + sum(curve.end for curve in curves.alone.values())
    return Recommendation(
        main=curves.main,
        metric=metric.title,
        alone=alone,
        budget=curves.budget,
        choice=candidates[said.choice].name if said.choice is not None else None,
        regret=said.regret * points,
        cost=steps / (curves.budget * (2 * len(candidates) + 1)),
        steps=round(steps),
        rows=rows,
    )


def observed(curves: SweepCurves, prior: Mapping[str, float]) -> tuple[Candidate, ...]:
    """Return the candidates as far as they are trained, each at the budget that most seeds have."""
    candidates = []
    for name in curves.candidates:
        candidate = Candidate(name, prior=prior.get(name, 0.0))
        ends = {
            seed: min(curve.end, curves.alone[seed].end) / curves.budget
            for seed, curve in curves.beside[name].items()
            if seed in curves.alone
        }
        if ends:
            share = min(1.0, max(ends.values()))
            share = 1.0 if share > 0.99 else share
            gains = curves.gains(name, share)
            if gains:
                mean = float(np.mean(list(gains.values())))
                candidate = replace(candidate, share=share, gain=mean, seeds=len(gains))
        candidates.append(candidate)
    return tuple(candidates)


def noise_of(curves: SweepCurves, weak: Noise = Noise()) -> Noise:  # noqa: B008
    """Return the noise of one gain of one seed, from those that have several, and a weak prior.

    The part that all candidates of a seed share is told from the rest by an analysis of variance
    over candidates and seeds.
    """
    gains = {name: curves.gains(name, 1.0) for name in curves.candidates}
    seeds = sorted(set.intersection(*map(set, gains.values()))) if gains else []
    if len(seeds) < 2 or len(gains) < 2:
        return weak
    table = np.array([[gains[name][seed] for seed in seeds] for name in gains])  # [K, S]
    count, repeats = table.shape
    rest = table - table.mean(1, keepdims=True)
    of_seed = rest.mean(0)
    own = float(((rest - of_seed) ** 2).sum())
    degrees = (count - 1) * (repeats - 1)
    own_variance = (WEAK * weak.own**2 + own) / (WEAK + degrees)
    shared = max(0.0, float((of_seed**2).sum()) / (repeats - 1) - own_variance / count)
    shared_variance = (WEAK * weak.shared**2 + shared * (repeats - 1)) / (WEAK + repeats - 1)
    return Noise(math.sqrt(own_variance), math.sqrt(shared_variance))


def _finite(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
