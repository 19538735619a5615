"""The search for an auxiliary: from what runs on disk say to what to train next."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mtl_bench.analysis.recommend.decisions import Outlook, outlook
from mtl_bench.analysis.recommend.evidence import noise_of, observed, points_of, settings_of
from mtl_bench.analysis.recommend.history import History, Round, run_name
from mtl_bench.analysis.recommend.model import posterior
from mtl_bench.analysis.recommend.observations import SweepCurves
from mtl_bench.analysis.recommend.policies.base import Extension, Limits, Policy, State
from mtl_bench.errors import UserError


@dataclass(frozen=True)
class RunRequest:
    """A run to be trained further.

    Attributes:
        main: task that it is for.
        tasks: sorted.
        budget: steps per task, to be reached.
        seed: of the run.
    """

    main: str
    tasks: tuple[str, ...]
    budget: int
    seed: int

    @property
    def name(self) -> str:
        """The tasks and the seed."""
        return run_name(self.tasks, self.seed)


@dataclass(frozen=True)
class Progress:
    """What the disk says of a main task's runs.

    Attributes:
        curves: of finished runs; None if the main task alone, or every pair, has none.
        steps: optimiser steps of finished runs, by run (see `run_name`).
        prior: p_i by candidate.
        failed: candidates whose run failed in this search.
        scale: what the metric is multiplied by to be points.
    """

    curves: SweepCurves | None
    steps: Mapping[str, int]
    prior: Mapping[str, float] = field(default_factory=dict)
    failed: Collection[str] = ()
    scale: int = 100


@dataclass(frozen=True)
class SearchLimits:
    """When a search stops; None: no such limit.

    Attributes:
        budget: share of the steps of training all candidates to the end.
        regret: expected loss against the best choice, in points of the metric; in percent of it
            where it is no share.
        confidence: probability that the choice is the best.
        max_seconds: of all its rounds.
        max_seeds: of a candidate.
        max_aux: auxiliaries in a set.
    """

    budget: float = 0.3
    regret: float | None = 0.1
    confidence: float | None = None
    max_seconds: float | None = None
    max_seeds: int = 3
    max_aux: int = 1


def checked_limits(values: Mapping[str, Any]) -> SearchLimits:
    """Return limits from the values of a configuration.

    Raises:
        UserError: a value is not what is allowed; the message names the key.
    """
    limits = SearchLimits(**values)
    whole = "a whole number from 1"
    allowed = {
        "budget": "a share above 0, at most 1",
        "regret": "a number of points above 0, or null",
        "confidence": "a probability above 0 and below 1, or null",
        "max_seconds": "a number of seconds above 0, or null",
        "max_seeds": whole,
        "max_aux": whole,
    }
    most = {"budget": 1.0, "confidence": math.nextafter(1.0, 0.0)}
    for key, text in allowed.items():
        value = getattr(limits, key)
        if value is None and "null" in text:
            continue
        kinds = (int,) if text == whole else (int, float)
        if type(value) not in kinds or not 0 < value <= most.get(key, math.inf):
            raise UserError(f"{key}={value} is not {text}.")
    return limits


@dataclass
class Search:
    """Decides for one main task what to train next, and keeps the history.

    Attributes:
        policy: that is asked.
        limits: of the search.
        history: so far; changed by `next`.
        seed: first one of runs.
        parallel: runs that can be trained at once.
    """

    policy: Policy
    limits: SearchLimits
    history: History
    seed: int
    parallel: int = 1

    def next(self, progress: Progress) -> list[RunRequest]:
        """Return the runs to train now; none ends the search, and the history says why.

        Raises:
            UserError: the limits allow no run at all.
        """
        if self.history.pending:  # the command was stopped in the middle of a round
            if left := [run for run in self._pending() if not _is_done(run, progress)]:
                return left
            self.done(progress, 0.0)
        state = self.state(progress)
        if not state.candidates:
            self.history.ended = "failed"
            return []
        prospects = outlook(posterior(state.candidates, state.noise, state.settings))
        self.history.ended = self._limit(state, prospects, progress.curves)
        if self.history.ended is None:
            requests = state.within_budget(self.policy.next(state))[: self.parallel]
            if requests and (runs := self._runs(requests, state, progress)):
                return runs
            self.history.ended = "done" if requests else self._end(state)
        final = ("budget", "seconds", "score")
        if self.history.ended not in final and self._add_sets(state, prospects):
            return self.next(progress)
        return []

    def done(self, progress: Progress, seconds: float) -> Round:
        """Note that the round under way has ended; return what is known after it."""
        state = self.state(progress)
        runs = [run for run in self._pending() if _is_done(run, progress)]
        trained = [f"{run.name} to {run.budget}" for run in runs]
        self.history.pending = []
        choice, regret = None, 0.0
        if state.candidates:
            prospects = outlook(posterior(state.candidates, state.noise, state.settings))
            if prospects.choice is not None:
                choice = state.candidates[prospects.choice].name
            regret = prospects.regret
        last = Round(trained, self.history.steps(progress.steps), seconds, choice, regret)
        self.history.rounds.append(last)
        return last

    def state(self, progress: Progress) -> State:
        """Return what a policy is told."""
        history, limits, curves = self.history, self.limits, progress.curves
        names = [name for name in history.candidates if name not in progress.failed]
        budget = history.budget
        alone = curves.alone.values() if curves else ()
        spent = history.cost(history.steps(progress.steps))
        return State(
            candidates=observed(curves, names, progress.prior),
            single=sum(curve.end for curve in alone) / budget,
            spent=spent,
            noise=noise_of(curves),
            settings=settings_of(progress.prior),
            limits=Limits(
                budget=min(limits.budget, self._affordable_in_time(spent)),
                regret=self._regret(progress),
                confidence=math.inf if limits.confidence is None else limits.confidence,
                seeds=limits.max_seeds,
            ),
            parallel=self.parallel,
            evaluated=tuple(each / budget for each in history.evaluated),
            everything=history.everything,
        )

    def _regret(self, progress: Progress) -> float:
        """Return the limit of the regret in percent; 0 before the main task's score is known.

        A half of the budget is taken to be enough for that: early, a point is many percent.
        """
        limit, curves = self.limits.regret, progress.curves
        if limit is None or curves is None:
            return 0.0
        if curves.trained < curves.budget / 2:
            return 0.0
        points = points_of(curves, progress.scale) if progress.scale == 100 else 1.0
        return limit / points if points else 0.0

    def _affordable_in_time(self, spent: float) -> float:
        """Return the share of all steps that the time limit leaves, by the speed so far."""
        seconds = self.history.seconds
        if self.limits.max_seconds is None or not seconds:
            return math.inf
        return spent * self.limits.max_seconds / seconds

    def _limit(self, state: State, prospects: Outlook, curves: SweepCurves | None) -> str | None:
        """Return the limit that is met, if the policy chooses by the model and a gain is known.

        Where none is, since the main task alone scores too little at its end, none will be.
        """
        if not any(candidate.is_observed() for candidate in state.candidates):
            is_low = curves and curves.trained == curves.budget and curves.is_low
            return "score" if is_low else None
        return state.limits.met_by(prospects) if self.policy.uses_model else None

    def _end(self, state: State) -> str:
        """Return why the policy asks for nothing that can be paid for."""
        free = replace(state, limits=replace(state.limits, budget=math.inf))
        extensions = self.policy.next(free)
        if not extensions and all(each.share == 1 for each in state.candidates):
            return "done"
        if not extensions:
            return "worth" if self.policy.uses_model else "policy"
        if state.limits.budget < self.limits.budget:
            return "seconds"
        if not any(each.share for each in state.candidates):
            least = state.spent + min(state.cost([request]) for request in extensions)
            budget = self.limits.budget
            raise UserError(
                f"{self.history.main}: budget={budget:g} allows no run: the shortest, alone and "
                f"beside one candidate, takes {least:.3f} of the steps of training all candidates "
                f"to the end. Type budget={_up(least)} or more."
            )
        return "budget"

    def _add_sets(self, state: State, prospects: Outlook) -> bool:
        """Add the sets of the choice and one more auxiliary, once; return whether there are any."""
        if prospects.choice is None:
            return False
        best = set(state.candidates[prospects.choice].name.split("+"))
        if len(best) >= self.limits.max_aux:
            return False
        singles = {name for each in state.candidates for name in each.name.split("+")}
        sets = {"+".join(sorted(best | {name})) for name in singles - best}
        new = sorted(sets - set(self.history.candidates))
        self.history.candidates += new
        return bool(new)

    def _pending(self) -> list[RunRequest]:
        """Return the runs of the round under way."""
        main = self.history.main
        return [RunRequest(main, tuple(t), budget, s) for t, budget, s in self.history.pending]

    def _runs(
        self, requests: Sequence[Extension], state: State, progress: Progress
    ) -> list[RunRequest]:
        """Return the runs of requests that are not there, and note those that are bought."""
        main, runs = self.history.main, dict[str, RunRequest]()
        for request in requests:
            budget = round(state.reached(request.share) * self.history.budget)
            names = state.candidates[request.candidate].name.split("+")
            tasks = tuple(sorted({main, *names}))
            for seed in self._seeds(tasks, progress)[: request.seeds]:
                for own in ((main,), tasks):
                    each = RunRequest(main, own, budget, seed)
                    if not _is_done(each, progress):
                        longest = runs.get(each.name, each)
                        runs[each.name] = max(each, longest, key=lambda run: run.budget)
        for name, run in runs.items():
            self.history.buy(name, progress.steps.get(name, 0), len(run.tasks) * run.budget)
        self.history.pending = [(list(r.tasks), r.budget, r.seed) for r in runs.values()]
        return list(runs.values())

    def _seeds(self, tasks: tuple[str, ...], progress: Progress) -> list[int]:
        """Return seeds, those first that a run has been trained with the longest."""
        first = run_name(tasks, 0).removesuffix("0")
        trained_seeds = {
            int(run.removeprefix(first)) for run in progress.steps if run.startswith(first)
        }
        seeds = {*range(self.seed, self.seed + self.limits.max_seeds), *trained_seeds}
        return sorted(seeds, key=lambda seed: (-progress.steps.get(run_name(tasks, seed), 0), seed))


def _is_done(run: RunRequest, progress: Progress) -> bool:
    return progress.steps.get(run.name, 0) >= len(run.tasks) * run.budget


def _up(share: float) -> float:
    return math.ceil(1000 * share) / 1000
