"""Policies on finished curves, as if these were trained now: choices and their cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.ranks import rank_correlation
from mtl_bench.analysis.recommend.decisions import Outlook, outlook
from mtl_bench.analysis.recommend.model import posterior
from mtl_bench.analysis.recommend.observations import Curves
from mtl_bench.analysis.recommend.policies.base import Limits, Policy, State
from mtl_bench.analysis.recommend.settings import Candidate, Noise, Settings
from mtl_bench.analysis.student import quantile

ROUNDS = 1000
"""At most: a policy that asks for what is there already would never end."""


@dataclass(frozen=True)
class Decision:
    """What was known after a round.

    Attributes:
        spent: share of the steps of training everything.
        outlook: of the model.
    """

    spent: float
    outlook: Outlook


@dataclass(frozen=True)
class Replay:
    """A policy's search for one main task.

    Attributes:
        main: task.
        choice: auxiliary; None for none.
        decision_gain: true gain of the choice, in percent; 0 for none.
        regret: true gain of the best of all and none, less that.
        cost: share of the steps of training everything.
        spearman: of expected and true gains; nan if either does not vary.
        coverage: of the 80 percent intervals at all decisions but the first.
        brier: mean squared error of the probabilities to help, at the end.
        probabilities: [K] of helping, at the end.
        helped: [K] whether they do.
        rounds: what was known after each.
    """

    main: str
    choice: str | None
    decision_gain: float
    regret: float
    cost: float
    spearman: float
    coverage: float
    brier: float
    probabilities: Sequence[float] = ()
    helped: Sequence[bool] = ()
    rounds: Sequence[Decision] = field(default=(), repr=False)


def replay(
    policy: Policy,
    curves: Curves,
    truth: Floats,
    prior: Mapping[str, float],
    limits: Limits,
    noise: Noise,
    settings: Settings,
    parallel: int = 1,
) -> Replay:
    """Return what a policy does.

    Args:
        policy: that decides what to train.
        curves: finished ones.
        truth: [K] gains of the candidates in percent, by which the choice is scored.
        prior: p_i by candidate.
        limits: of the search.
        noise: of gains.
        settings: of the model.
        parallel: runs trained at once.
    """
    names = list(curves.candidates)
    candidates = tuple(Candidate(name, prior=prior.get(name, 0.0)) for name in names)
    limits = replace(limits, seeds=min(limits.seeds, curves.seeds))
    state = State(candidates, noise=noise, settings=settings, limits=limits, parallel=parallel)
    rounds = [Decision(0.0, outlook(posterior(state.candidates, noise, settings)))]
    for _ in range(ROUNDS):
        if policy.uses_model and limits.met_by(rounds[-1].outlook):
            break
        requests = policy.next(state)
        if not requests:
            break
        own = list(state.candidates)
        for request in requests:
            own[request.candidate] = replace(
                own[request.candidate], share=request.share, seeds=request.seeds
            )
        # As far as the main task alone is trained by now, which decides what a gain is taken for.
        longest = max(each.share for each in own)
        own = [
            replace(each, gain=curves.gain(each.name, each.share, each.seeds, longest))
            if each.share
            else each
            for each in own
        ]
        single = max([state.single, *(request.share * request.seeds for request in requests)])
        spent = state.spent + state.cost(requests)
        state = replace(state, candidates=tuple(own), single=single, spent=spent)
        rounds.append(Decision(spent, outlook(posterior(state.candidates, noise, settings))))
    final = rounds[-1].outlook
    number = final.choice if policy.uses_model else furthest(state.candidates)
    gain = float(truth[number]) if number is not None else 0.0
    expected = posterior(state.candidates, noise, settings).mean
    covered = [(d.outlook.low <= truth) & (truth <= d.outlook.high) for d in rounds[1:]]
    return Replay(
        main=curves.main,
        choice=names[number] if number is not None else None,
        decision_gain=gain,
        regret=max(0.0, float(truth.max())) - gain,
        cost=state.spent,
        spearman=_spearman(expected, truth),
        coverage=float(np.mean(covered)) if covered else float("nan"),
        brier=float(np.mean((final.helps - (truth > 0)) ** 2)),
        probabilities=final.helps.tolist(),
        helped=(truth > 0).tolist(),
        rounds=rounds,
    )


def furthest(candidates: Sequence[Candidate]) -> int | None:
    """Return the candidate of the largest gain among those trained the furthest, if above 0."""
    share = max(candidate.share for candidate in candidates)
    numbers = [n for n, candidate in enumerate(candidates) if candidate.share == share]
    best = max(numbers, key=lambda n: np.nan_to_num(candidates[n].gain, nan=-np.inf))
    return best if candidates[best].gain > 0 else None


def summary(name: str, replays: Sequence[Replay], default: bool) -> dict[str, Any]:
    """Return the scores of a policy as plain values: means over main tasks, and those of each.

    `decision_gain_width` is half of the 95 percent interval of the mean decision gain (Student's,
    over main tasks), None with one.
    """
    columns = ("decision_gain", "regret", "cost", "spearman", "coverage", "brier")
    means = {}
    for column in columns:
        values = np.array([getattr(one, column) for one in replays])
        values = values[np.isfinite(values)]
        means[column] = float(values.mean()) if len(values) else None
    mains = []
    for one in replays:
        plain = asdict(replace(one, rounds=()))
        del plain["rounds"]
        mains.append({k: None if v != v else v for k, v in plain.items()})
    gains, width = [one.decision_gain for one in replays], None
    if len(gains) > 1:
        error = float(np.std(gains, ddof=1)) / len(gains) ** 0.5
        width = quantile(0.975, len(gains) - 1) * error
    scores = {**means, "decision_gain_width": width}
    return {"policy": name, "default": default, **scores, "mains": mains}


def _spearman(expected: Floats, truth: Floats) -> float:
    varies = np.ptp(expected) and np.ptp(truth)
    return rank_correlation(expected, truth) if varies else float("nan")
