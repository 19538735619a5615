"""The answer for a main task: which auxiliary, how sure, at what cost."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.recommend.decisions import outlook
from mtl_bench.analysis.recommend.evidence import noise_of, observed, points_of, settings_of
from mtl_bench.analysis.recommend.history import History, Round, run_name
from mtl_bench.analysis.recommend.model import posterior
from mtl_bench.analysis.recommend.observations import SweepCurves
from mtl_bench.analysis.recommend.policies.base import Limits, State
from mtl_bench.analysis.recommend.policies.value import Value
from mtl_bench.analysis.recommend.settings import Candidate, Noise, steps_of_all, tasks_of
from mtl_bench.errors import UserError

Status = Literal["recommended", "runner-up", "stopped", "finished", "not trained", "failed"]

RUNNER_UP = 0.1
"""Probability to be the best from which the second of the ranking is called so."""


@dataclass(frozen=True)
class Row:
    """What is known of an auxiliary; gains in percent, of the late evaluations at the full budget.

    Attributes:
        aux: auxiliary, or a set of them joined by `+`.
        gain: expected.
        points: expected, in points of the metric.
        low: lower end of the 80 percent interval of the gain.
        high: its upper end.
        helps: probability that the gain is above 0. Nothing of these is known of a failed one.
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
class Further:
    """The extension that is worth most for its steps, whether or not it was bought.

    Attributes:
        aux: candidate.
        budget: steps per task to which it would be trained.
        seeds: with which.
        steps: that it takes.
        change: probability that the choice would be another one afterwards.
    """

    aux: str
    budget: float
    seeds: int
    steps: int
    change: float


@dataclass(frozen=True)
class Recommendation:
    """The answer for a main task.

    Attributes:
        main: task.
        metric: that gains are of.
        alone: its late value without an auxiliary, mean over seeds.
        split: on which it was taken, and gains are.
        alone_trained: steps to which it is trained so far.
        budget: steps per task that gains are predicted for.
        choice: auxiliary, or a set joined by `+`; None: train the main task alone.
        regret: expected loss against the best of the candidates and none, in points.
        confidence: probability that the choice is the best.
        cost: share of the steps of training all candidates to the end with one seed.
        steps: trained, all runs together; those of a search, if there was one.
        seconds: that the search took; None if there was none.
        ended: why the search ended (see `history.History`).
        further: what would be trained next; None if everything is trained.
        rows: of the candidates, the best first.
        rounds: of the search, with their regret in percent.
        points: of the metric that one percent of gain is.
        noise: of one gain of one seed.
        informed: whether gains with other main tasks were taken into account.
        arguments: of the search's command, but for `main` and `aux`; None if there was no search.
        remarks: sentences about the runs.
    """

    main: str
    metric: StudiedMetric
    alone: float
    split: str
    alone_trained: float
    budget: float
    choice: str | None
    regret: float
    confidence: float
    cost: float
    steps: int
    seconds: float | None
    ended: str | None
    further: Further | None
    rows: Sequence[Row]
    rounds: Sequence[Round]
    points: float
    noise: Noise
    informed: bool
    arguments: Sequence[str] | None
    remarks: Sequence[str] = ()

    @property
    def candidates(self) -> int:
        """The number of candidates; sets of them are counted only where there is nothing else."""
        return sum("+" not in row.aux for row in self.rows) or len(self.rows)

    def failed(self) -> list[str]:
        """Return the candidates whose run failed."""
        return [row.aux for row in self.rows if row.status == "failed"]

    def plain(self) -> dict[str, Any]:
        """Return plain values; what is not finite is None."""
        plain: dict[str, Any] = _finite(asdict(self))
        return plain


def recommend(
    curves: SweepCurves,
    metric: StudiedMetric,
    prior: Mapping[str, float],
    failed: Collection[str] = (),
    history: History | None = None,
) -> Recommendation:
    """Return the answer that runs so far give.

    Args:
        curves: of the main task.
        metric: that gains are of.
        prior: p_i by candidate.
        failed: candidates whose run failed.
        history: of the search, if there was one; its candidates are those of the answer, else all
            that the curves have.

    Raises:
        UserError: the main task alone scores so little that nothing is known of gains.
    """
    alone = curves.score_alone()
    names = history.candidates if history else curves.candidates
    usable = [name for name in names if name not in failed] or list(names)
    candidates = observed(curves, usable, prior)
    is_known = any(candidate.is_observed() for candidate in candidates)
    if not np.isfinite(alone) or not alone or (curves.is_low and not is_known):
        least = f", below {metric.text(curves.least)}" if 0 < alone < curves.least else ""
        raise UserError(
            f"{curves.main}: nothing can be said of gains, since its {metric.title} alone is "
            f"{metric.text(alone)}{least}, at {curves.trained:,.6g} steps. Train longer "
            "(steps_per_task), or with another rate (optimizer.lr)."
        )
    noise, settings = noise_of(curves), settings_of(prior)
    belief = posterior(candidates, noise, settings)
    prospects = outlook(belief)
    points = points_of(curves, metric.scale)
    order = np.argsort(-belief.mean)
    runner_up = next((int(n) for n in order if n != prospects.choice), None)
    rows = []
    for number in order:
        each = candidates[number]
        status: Status = "finished" if each.share == 1 else "stopped"
        if number == prospects.choice:
            status = "recommended"
        elif not each.share:
            status = "not trained"
        elif number == runner_up and prospects.best[number] >= RUNNER_UP:
            status = "runner-up"
        rows.append(
            Row(
                aux=each.name,
                gain=float(belief.mean[number]),
                points=float(belief.mean[number]) * points,
                low=float(prospects.low[number]),
                high=float(prospects.high[number]),
                helps=float(prospects.helps[number]),
                best=float(prospects.best[number]),
                trained=each.share * curves.budget,
                seeds=each.seeds,
                observed=each.gain if each.is_observed() else None,
                status=status,
            )
        )
    rows += [_failed(each, curves.budget) for each in observed(curves, _also(failed, names), prior)]
    everything = steps_of_all(names)
    state = State(
        candidates,
        single=sum(curve.end for curve in curves.alone.values()) / curves.budget,
        noise=noise,
        settings=settings,
        limits=Limits(seeds=history.max_seeds) if history else Limits(),
        evaluated=tuple(each / curves.budget for each in history.evaluated) if history else (),
        everything=everything,
    )
    done = {
        run_name(sorted([curves.main, *name.split("+")]), seed): round(tasks_of(name) * curve.end)
        for name in names
        for seed, curve in curves.beside.get(name, {}).items()
    }
    done |= {run_name([curves.main], seed): round(own.end) for seed, own in curves.alone.items()}
    steps = history.steps(done) if history else sum(done.values())
    cost = steps / (curves.budget * everything)
    return Recommendation(
        main=curves.main,
        metric=metric,
        alone=alone,
        split=curves.split,
        alone_trained=curves.trained,
        budget=curves.budget,
        choice=candidates[prospects.choice].name if prospects.choice is not None else None,
        regret=prospects.regret * points,
        confidence=prospects.confidence,
        cost=cost,
        steps=steps,
        seconds=history.seconds if history else None,
        ended=history.ended if history else None,
        further=_further(state, curves.budget),
        rows=rows,
        rounds=tuple(history.rounds) if history else (),
        points=points,
        noise=noise,
        informed=any(prior.values()),
        arguments=tuple(history.arguments) if history else None,
    )


def _also(failed: Collection[str], names: Sequence[str]) -> list[str]:
    """Return the candidates that failed, unless all did."""
    own = [name for name in names if name in failed]
    return own if len(own) < len(names) else []


def _failed(candidate: Candidate, budget: float) -> Row:
    """Return the row of a candidate whose run failed."""
    nan = float("nan")
    gain = candidate.gain if candidate.is_observed() else None
    trained = candidate.share * budget
    return Row(
        candidate.name, nan, nan, nan, nan, nan, nan, trained, candidate.seeds, gain, "failed"
    )


def _further(state: State, budget: float) -> Further | None:
    """Return what the default policy rates highest for its steps."""
    rated = [(request, worth) for request, worth in Value().rated(state) if worth.regret > 0]
    if not rated:
        return None
    request, worth = max(rated, key=lambda each: each[1].regret / state.cost([each[0]]))
    return Further(
        aux=state.candidates[request.candidate].name,
        budget=state.reached(request.share) * budget,
        seeds=request.seeds,
        steps=round(state.cost([request]) * state.everything * budget),
        change=worth.change,
    )


def _finite(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
