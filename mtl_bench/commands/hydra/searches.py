"""`hydra/sweeper=recommend`: the searches of a command line, one for each main task."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, takewhile

from rich.console import Console
from rich.markup import escape

from mtl_bench.analysis.recommend.history import History, read_history
from mtl_bench.analysis.recommend.policies.base import Policy
from mtl_bench.analysis.recommend.prior import priors
from mtl_bench.analysis.recommend.search import Progress, RunRequest, Search, SearchLimits, run_name
from mtl_bench.analysis.recommend.wording import round_text
from mtl_bench.commands.shared.answers import (
    PUBLISHED,
    Evidence,
    answers,
    evidence,
    evidence_of,
    late_gains,
)
from mtl_bench.commands.shared.recommend_text import show
from mtl_bench.config.run_key import schedule_of
from mtl_bench.errors import UserError
from mtl_bench.runs.schedule import Schedule, evaluation_grid
from mtl_bench.runs.sweep_folder import RunStatus, run_status, sweep_folder
from mtl_bench.sweeps.combinations import Combination, Overrides, expand
from mtl_bench.sweeps.plan import Job, Plan
from mtl_bench.sweeps.rounds import at_seed

Record = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Question:
    """What a command line asks.

    Attributes:
        mains: tasks to recommend for.
        candidates: auxiliaries.
        others: overrides but for `main` and `aux`.
    """

    mains: tuple[str, ...]
    candidates: tuple[str, ...]
    others: tuple[str, ...]

    def of(self, main: str) -> list[str]:
        """Return the candidates of a main task."""
        return [name for name in self.candidates if name != main]

    def jobs(self, max_aux: int) -> list[Overrides]:
        """Return the overrides of every run that the searches may train.

        Args:
            max_aux: auxiliaries in a set.
        """
        sets = [
            (main, aux)
            for main in self.mains
            for count in range(max_aux + 1)
            for aux in combinations(self.of(main), count)
        ]
        return [[*self.others, f"main={m}", f"aux=[{','.join(aux or (m,))}]"] for m, aux in sets]


def question(jobs: Sequence[Overrides]) -> Question:
    """Return what the jobs of a command line ask: `aux` names the candidates.

    Raises:
        UserError: no candidate is named, the main task is one, or runs differ in more than tasks.
    """
    variants: dict[tuple[str, ...], list[Combination]] = expand(jobs)
    if len(variants) > 1:
        differing = sorted({each for others in variants for each in others})
        differing = [each for each in differing if not all(each in others for others in variants)]
        raise UserError(
            "A search compares runs that differ in their tasks only; seeds are its own to choose. "
            f"Given several values: {' '.join(differing)}. Leave one of each."
        )
    [(others, asked)] = variants.items()
    if any(each.main is None for each in asked):
        raise UserError("A search needs its main task: main=<task>.")
    mains = tuple(dict.fromkeys(str(each.main) for each in asked))
    candidates = tuple(dict.fromkeys(name for each in asked for name in each.aux or ()))
    if not candidates:
        raise UserError(
            "A search needs candidates: 'aux=[<task>,<task>]'. `mtl-bench tasks` lists all tasks."
        )
    if len(mains) == 1 and mains[0] in candidates:
        raise UserError(
            f"aux names the main task, {mains[0]}, among its candidates. Leave it out there."
        )
    return Question(mains, candidates, others)


@dataclass
class Searches:
    """The searches of a command line: they share rounds, runs and the record of one another.

    Attributes:
        plan: all runs that may be trained, to the full budget.
        searches: by main task.
        record: gains of a result set; None: those of the other main tasks here.
        failed: runs that failed since the command began.
    """

    plan: Plan
    searches: dict[str, Search]
    record: Record | None = None
    failed: set[tuple[str, ...]] = field(default_factory=set)
    _requests: dict[str, list[RunRequest]] = field(default_factory=dict)
    _reported: set[str] = field(default_factory=set)
    _round: int = 0

    def next(self) -> list[RunRequest]:
        """Return the runs that the searches want next."""
        self._requests = {}
        for main, search in self.searches.items():
            if (main,) in self.failed:
                continue
            requests = search.next(self._progress(main))
            search.history.write(self.plan.sweep, self._variant(main))
            if requests:
                self._requests[main] = requests
        runs: dict[str, RunRequest] = {}
        for each in (run for requests in self._requests.values() for run in requests):
            longest = runs.get(each.name, each)
            runs[each.name] = max(longest, each, key=lambda run: run.budget)
        if runs:
            self._round += 1
            names = ", ".join(f"{run.name} to {run.budget:,}" for run in runs.values())
            _say(f"\nround {self._round}: {names}")
        return list(runs.values())

    def done(self, statuses: Sequence[RunStatus], seconds: float) -> None:
        """Note a round in the histories; say what is known now."""
        bad = ("failed", "damaged")
        self.failed |= {status.run.tasks for status in statuses if status.state in bad}
        for main in self._requests:
            search = self.searches[main]
            if (main,) in self.failed:
                _say(f"  {main}: its single run failed, and gains are relative to that")
                search.history.ended = "failed"
            else:
                progress = self._progress(main)
                search.done(progress, seconds / len(self._requests))
                observed = any(each.is_observed() for each in search.state(progress).candidates)
                _say(f"  {round_text(search.history, observed)}")
            search.history.write(self.plan.sweep, self._variant(main))

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
            _say(f"  {problem}")
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
        for job in self._jobs(main):
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

    def _jobs(self, main: str) -> list[Job]:
        """Return the planned runs of a main task."""
        jobs = [job for job in self.plan.jobs if main in job.status.run.tasks]
        # Where runs depend on which task is main, those of another main task are others.
        variants = [each.status.run.variant for each in jobs if each.config.main == main]
        return [job for job in jobs if job.status.run.variant in variants[:1]]

    def _variant(self, main: str) -> str:
        return self._jobs(main)[0].status.run.variant


def make_searches(
    asked: Question,
    plan: Plan,
    policy: Policy,
    policy_name: str,
    limits: SearchLimits,
    record: str | None,
    parallel: int,
) -> Searches:
    """Return the searches of a question, as far as earlier commands brought them.

    Args:
        asked: the question.
        plan: of all runs that may be trained.
        policy: that decides.
        policy_name: of its yaml.
        limits: of each search.
        record: sweep, or `published`, whose gains tell of candidates.
        parallel: runs of a round, for each main task.

    Raises:
        UserError: runs cannot be extended, or are too short to be evaluated.
    """
    _check(plan)
    searches = Searches(plan, {}, evidence(record).gains() if record else None)
    if record and record != PUBLISHED:  # the answer is asked for from anywhere
        record = str(sweep_folder(record).absolute())
    for main in asked.mains:
        jobs = searches._jobs(main)
        present = {task for job in jobs for task in job.status.run.tasks}
        candidates = [name for name in asked.of(main) if name in present]
        if not candidates or main not in present:
            raise UserError(
                f"{main}: has no candidate but itself whose data is here. Name others in aux."
            )
        schedule = schedule_of(jobs[0].config)
        evaluated = _evaluated(schedule)
        variant = searches._variant(main)
        history = read_history(plan.sweep, main, variant)
        if history and history.budget != schedule.budget:
            _say(
                f"note: the search for {main} at {history.budget:,.6g} steps per task is replaced; "
                "its runs are used"
            )
            history = None
        if history is None:
            history = History(main, candidates, schedule.budget, evaluated, policy_name)
        history.ask(candidates, limits.max_aux)
        history.policy, history.arguments = policy_name, list(asked.others)
        history.evaluated, history.max_seeds = evaluated, limits.max_seeds
        history.record = record
        searches._round = max(searches._round, len(history.rounds))
        first = jobs[0].config.seed
        searches.searches[main] = Search(policy, limits, history, first, parallel)
    return searches


def show_searches(searches: Searches, processes: int | None) -> None:
    """Print what is to be done, before anything starts."""
    console = Console(highlight=False, soft_wrap=True)
    plan = searches.plan
    mains = ", ".join(searches.searches)
    console.print(f"[bold]{escape(str(plan.sweep))}[/]: which auxiliary task for {escape(mains)}?")
    for search in searches.searches.values():
        history, limits = search.history, search.limits
        steps = round(history.everything * history.budget)
        console.print(f"  candidates {escape(', '.join(history.candidates))}")
        console.print(
            f"  budget     at most {100 * limits.budget:g} % of the {steps:,} steps of training "
            f"all to {history.budget:,.6g} steps per task"
        )
        texts = []
        if limits.regret:
            texts.append(f"the expected loss is below {limits.regret:g} points (regret=)")
        if limits.confidence:
            texts.append(f"the choice is the best with probability {limits.confidence:g}")
        if limits.max_seconds:
            texts.append(f"{limits.max_seconds:g} seconds are over")
        if texts:
            console.print(f"  stops      when {', or '.join(texts)}")
        if history.rounds:
            console.print(f"  resumes    after {len(history.rounds)} rounds")
    side = f"{processes} at a time" if processes else "by the launcher"
    console.print(f"  trains     {side}")
    if plan.to_download:
        console.print(f"  download   {', '.join(plan.to_download)}")
    for task, reason in plan.missing.items():
        console.print(f"  [yellow]missing[/]    {escape(task)}: {escape(reason)}; left out")


def _evaluated(schedule: Schedule) -> list[int]:
    """Return the steps per task at which runs are evaluated.

    Raises:
        UserError: there is no evaluation.
    """
    grid = evaluation_grid(schedule.interval)
    evaluated = list(takewhile(lambda budget: budget <= schedule.budget, grid))
    if not evaluated:
        raise UserError(
            f"steps_per_task={schedule.budget:g} ends before the first evaluation, at "
            f"{schedule.interval}. Raise it, or lower trainer.val_check_interval."
        )
    return evaluated


def _check(plan: Plan) -> None:
    """Raise an error if the runs of a plan cannot be trained piece by piece."""
    if plan.follow_budget:
        raise UserError(
            f"{', '.join(plan.follow_budget)} follows the budget, so that runs cannot be extended, "
            "which a search does. Choose another, such as optimizer=adamw for adamw_linear."
        )
    config = plan.jobs[0].config
    if config.overwrite:
        raise UserError(
            "overwrite=true would train each run anew in every round. Choose another sweep_name, "
            f"or remove {plan.sweep}."
        )
    if config.trainer.max_steps is not None:
        raise UserError(
            "trainer.max_steps limits pairs to fewer steps per task than single runs, which cannot "
            "be compared then. Set the budget by steps_per_task."
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
