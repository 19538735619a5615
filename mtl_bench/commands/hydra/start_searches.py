"""How searches begin: checks, the histories of earlier commands, and what a person sees first."""

from __future__ import annotations

from itertools import takewhile

from rich.console import Console
from rich.markup import escape

from mtl_bench.analysis.recommend.history import History, read_history
from mtl_bench.analysis.recommend.policies.base import Policy
from mtl_bench.analysis.recommend.search import Search, SearchLimits
from mtl_bench.commands.hydra.question import Question
from mtl_bench.commands.hydra.searches import Searches, say
from mtl_bench.commands.shared.answers import evidence, lasting_name
from mtl_bench.config.run_key import schedule_of
from mtl_bench.errors import UserError
from mtl_bench.runs.schedule import Schedule, evaluation_grid
from mtl_bench.sweeps.plan import INTERPOLATION, Plan


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
    if record:
        record = lasting_name(record)  # the answer is asked for from anywhere
    for main in asked.mains:
        jobs = searches.jobs(main)
        present = {task for job in jobs for task in job.status.run.tasks}
        candidates = [name for name in asked.of(main) if name in present]
        if not candidates or main not in present:
            raise UserError(
                f"{main}: has no candidate but itself whose data is here. Name others in aux."
            )
        schedule = schedule_of(jobs[0].config)
        evaluated = _evaluated(schedule)
        variant = searches.variant(main)
        history = read_history(plan.sweep, main, variant)
        if history and history.budget != schedule.budget:
            say(
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
        searches.rounds = max(searches.rounds, len(history.rounds))
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
    typed = (each for job in plan.jobs for each in job.overrides)
    for override in filter(INTERPOLATION.search, typed):
        raise UserError(
            f"{override}: a search gives its runs seeds and budgets of its own, which no option "
            "may refer to. Type its value."
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
