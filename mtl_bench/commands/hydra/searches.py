"""The searches of a command line, one for each main task: what they want, from what is on disk."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mtl_bench.analysis.recommend.history import run_name
from mtl_bench.analysis.recommend.prior import priors
from mtl_bench.analysis.recommend.search import Progress, RunRequest, Search
from mtl_bench.analysis.recommend.wording import round_text
from mtl_bench.commands.shared.answers import Evidence, answers, evidence_of, late_gains
from mtl_bench.commands.shared.recommend_text import show
from mtl_bench.errors import UserError
from mtl_bench.runs.record import KILLED
from mtl_bench.runs.sweep_folder import RunStatus, run_status
from mtl_bench.sweeps.plan import Plan
from mtl_bench.sweeps.planned_run import Job
from mtl_bench.sweeps.rounds import at_seed

Record = Mapping[tuple[str, str], float]


@dataclass
class Searches:
    """The searches of a command line: they share rounds, runs and the record of one another.

    Attributes:
        plan: all runs that may be trained, to the full budget.
        searches: by main task.
        record: gains of a result set; None: those of the other main tasks here.
        failed: runs that failed since the command began.
        rounds: so far, those of earlier commands included.
    """

    plan: Plan
    searches: dict[str, Search]
    record: Record | None = None
    failed: set[tuple[str, ...]] = field(default_factory=set)
    rounds: int = 0
    _requests: dict[str, list[RunRequest]] = field(default_factory=dict)
    _reported: set[str] = field(default_factory=set)
    _killed: set[str] = field(default_factory=set)

    def next(self) -> list[RunRequest]:
        """Return the runs that the searches want next."""
        self._requests = {}
        for main, search in self.searches.items():
            if (main,) in self.failed:
                continue
            requests = search.next(self._progress(main))
            search.history.write(self.plan.sweep, self.variant(main))
            if requests:
                self._requests[main] = requests
        runs: dict[str, RunRequest] = {}
        for each in (run for requests in self._requests.values() for run in requests):
            longest = runs.get(each.name, each)
            runs[each.name] = max(longest, each, key=lambda run: run.budget)
        if runs:
            self.rounds += 1
            names = ", ".join(f"{run.name} to {run.budget:,}" for run in runs.values())
            say(f"\nround {self.rounds}: {names}")
        return list(runs.values())

    def done(self, statuses: Sequence[RunStatus], seconds: float) -> None:
        """Note a round in the histories; say what is known now."""
        again = set()
        for status in statuses:
            # Killed from outside, as where memory ran out: the round is left open once.
            if _is_killed(status) and status.run.folder not in self._killed:
                self._killed.add(status.run.folder)
                again.add((status.run.tasks, status.run.seed))
            elif status.state in ("failed", "damaged"):
                self.failed.add(status.run.tasks)
        for main, requests in self._requests.items():
            search = self.searches[main]
            if any((each.tasks, each.seed) in again for each in requests):
                say(f"  {main}: a run was killed; it is trained once more")
                continue
            if (main,) in self.failed:
                say(f"  {main}: its single run failed, and gains are relative to that")
                search.history.ended = "failed"
            else:
                progress = self._progress(main)
                search.done(progress, seconds / len(self._requests))
                observed = any(each.is_observed() for each in search.state(progress).candidates)
                say(f"  {round_text(search.history, observed)}")
            search.history.write(self.plan.sweep, self.variant(main))

    def show(self) -> list[UserError]:
        """Print the answers; return what stands in the way of others."""
        problems = []
        for main in self.searches:
            try:
                for answer in answers(self._evidence(main), [main], self._gains()):
                    show(answer)
            except UserError as error:
                problems.append(error)
        return problems

    def _progress(self, main: str) -> Progress:
        """Return what the disk says of a main task's runs."""
        own = self._evidence(main)
        search = self.searches[main]
        steps = {
            run_name(status.run.tasks, status.run.seed): status.record.steps_done
            for status in own.statuses
            if status.record and status.record.status == "finished"
        }
        self.failed |= set(own.unreadable())
        for problem in set(own.problems) - self._reported:
            say(f"  {problem}")
        self._reported |= set(own.problems)
        curves = own.curves(search.history.budget) if steps else {}
        names = ["+".join(t for t in tasks if t != main) for tasks in self.failed if main in tasks]
        return Progress(
            curves=curves.get(main),
            steps=steps,
            prior=priors(self._gains(), main, search.history.candidates),
            failed=[name for name in names if name],
            scale=own.metrics[main].scale if main in own.metrics else 100,
        )

    def _evidence(self, main: str) -> Evidence:
        """Return what the runs of a main task's search measured."""
        search = self.searches[main]
        own = set(range(search.seed, search.seed + search.limits.max_seeds))
        statuses = []
        for job in self.jobs(main):
            folder = (self.plan.sweep / job.status.run.folder).parent
            digits = (place.name.removeprefix("seed") for place in folder.glob("seed*"))
            for seed in sorted(own | {int(each) for each in digits if each.isdecimal()}):
                run = at_seed(job.status.run, seed, job.status.run.budgets[-1])
                statuses.append(run_status(self.plan.sweep, run))
        return evidence_of(self.plan.sweep, statuses)

    def _gains(self) -> Record:
        """Return the gains that tell of candidates."""
        if self.record is not None:
            return self.record
        if len(self.searches) == 1:
            return {}
        gains: dict[tuple[str, str], float] = {}
        for main, search in self.searches.items():
            curves = self._evidence(main).curves(search.history.budget)
            gains |= late_gains({main: curves[main]} if main in curves else {})
        return gains

    def jobs(self, main: str) -> list[Job]:
        """Return the planned runs of a main task."""
        jobs = [job for job in self.plan.jobs if main in job.status.run.tasks]
        # Where runs depend on which task is main, those of another main task are others.
        variants = [each.status.run.variant for each in jobs if each.config.main == main]
        return [job for job in jobs if job.status.run.variant in variants[:1]]

    def variant(self, main: str) -> str:
        """Return what tells the runs of a main task from others, as in their folders."""
        return self.jobs(main)[0].status.run.variant


def _is_killed(status: RunStatus) -> bool:
    return status.state == "failed" and (status.problem or "").startswith(f"{KILLED}:")


def say(text: str) -> None:
    """Print how a search goes, beside what launchers print."""
    print(text, file=sys.stderr, flush=True)
