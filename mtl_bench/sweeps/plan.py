"""What a sweep is to do, known before anything starts: expand, resolve, merge, compare with disk.

Hydra would compose every job to learn what it is, half a second each. Here one composition serves
all jobs that differ in their tasks only: it holds the tasks of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.folders import run_folder_of, variant_of
from mtl_bench.config.mistakes.messages import no_such_key
from mtl_bench.config.mistakes.options import (
    check_encoder,
    check_options,
    check_samplers,
    groups_of,
)
from mtl_bench.config.run_key import checksums, schedule_of, uses_budget
from mtl_bench.config.schema import RunConfig, checked, unknown_keys
from mtl_bench.config.tasks import add_tasks
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import SweepRun, run_status
from mtl_bench.sweeps.combinations import (
    Combination,
    Overrides,
    check_one_value,
    check_task_overrides,
    expand,
    missing_baselines,
    task_of,
)
from mtl_bench.sweeps.data import find_data
from mtl_bench.sweeps.planned_run import Job, state, trained_when

Compose = Callable[[Overrides], DictConfig]

INTERPOLATION = re.compile(r"\$\\?\{")
"""An interpolation in an override; Hydra's sweeper escapes the braces."""

TRIAL_TASKS = 10
"""At most, for a trial of a moment."""


@dataclass
class Plan:
    """The runs of a sweep.

    Attributes:
        sweep: folder.
        jobs: one for each task set, variant and seed.
        missing: how to get it, by task whose data is not here and cannot be downloaded.
        to_download: what is fetched before the first run starts: tasks, `embeddings`.
        baselines: main tasks whose single run was added to those asked for.
        no_baselines: main tasks whose single run could not be added.
        follow_budget: groups of the configuration that follow the budget: no run of the sweep can
            be extended.
        dry_run: whether to stop after showing the plan.
        trial: a configuration with all tasks whose data is here, to measure times; None if there
            are none, or if a trial would take long.
    """

    sweep: Path
    jobs: list[Job] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    to_download: list[str] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    no_baselines: list[str] = field(default_factory=list)
    follow_budget: list[str] = field(default_factory=list)
    dry_run: bool = False
    trial: RunConfig | None = None

    def left(self) -> list[Job]:
        """Return the jobs that are not finished."""
        return [job for job in self.jobs if job.status.state != "finished"]

    def check_options(self) -> None:
        """Raise an error if an option of a run that is to be trained is a mistake.

        It imports what the options are of, which takes seconds.
        """
        configs = [job.config for job in self.left()]
        for config in {repr(groups_of(each)): each for each in configs}.values():
            check_options(config)
        check_samplers(configs)

    def steps_left(self) -> int:
        """Return the steps still to train."""
        return sum(job.status.run.steps - job.status.steps_done for job in self.left())


def make_plan(jobs: Sequence[Overrides], compose_job: Compose) -> Plan:
    """Return the plan of a sweep.

    Args:
        jobs: overrides of each, as Hydra's sweeper multiplies them.
        compose_job: returns the configuration of overrides, `hydra` included.

    Raises:
        UserError: nothing is to be run, an override concerns tasks that a run has not, or a folder
            holds a run of another configuration.
    """
    if not jobs:
        raise UserError("the sweep has no runs. Does a `glob(...)` match nothing?")
    plan = Plan(Path())
    check_one_value("dry_run", "overwrite", "skip_missing", "baselines", of=jobs)
    runs: list[tuple[Overrides, RunConfig, str]] = []
    sums: dict[str, dict[str, Any]] = {}  # by variant
    for others, combinations in expand(jobs).items():
        variant = resolve(others, combinations, compose_job, plan)
        runs += variant.runs
        sums |= dict.fromkeys((folder for _, _, folder in variant.runs), variant.checksums)
    for overrides, config, folder, budgets in merge(runs):
        run = SweepRun(folder, config.task_set(), config.seed, budgets)
        status = state(plan.sweep, run, config, sums[folder])
        replaced = trained_when(run_status(plan.sweep, run)) if config.overwrite else None
        plan.jobs.append(Job(overrides, config, status, sums[folder], replaced))
    if not plan.jobs:
        raise UserError(f"every run needs data that is missing: {', '.join(plan.missing)}.")
    return plan


def plan_single(cfg: DictConfig, folder: Path) -> Plan:
    """Return the plan of a run by itself."""
    config = checked(cfg)
    plan = Plan(folder.parent, dry_run=config.dry_run, follow_budget=uses_budget(cfg))
    find_data(config, plan.missing, plan.to_download)
    budgets = (schedule_of(config).budget,)
    run = SweepRun(folder.name, config.task_set(), config.seed, budgets)
    sums = _checksums(config, plan)
    plan.jobs.append(Job([], config, state(folder.parent, run, config, sums)))
    return plan


@dataclass(frozen=True)
class Variant:
    """The runs that differ in their tasks only: overrides, configuration and folder of each."""

    runs: list[tuple[Overrides, RunConfig, str]]
    checksums: dict[str, Any]


def resolve(
    others: Sequence[str], combinations: Sequence[Combination], compose_job: Compose, plan: Plan
) -> Variant:
    """Return the runs of some combinations of tasks, baselines included; note facts in the plan.

    Args:
        others: overrides but for `main` and `aux`.
        combinations: of tasks.
        compose_job: as of `make_plan`.
        plan: in which missing data, baselines and the folder are noted.
    """
    names = dict.fromkeys(name for each in combinations for name in each.names())
    first = combinations[0].main  # all jobs name main, or none does
    chosen = [name for name in names if any(task_of(each) == name for each in others)]
    cfg = compose_job([*others, *([f"main={first}"] if first else []), f"aux=[{','.join(chosen)}]"])
    add_tasks(cfg, names)
    for key in unknown_keys(cfg):
        raise UserError(no_such_key(key))
    _check_subdir(cfg)
    config = checked(cfg)
    all_combinations = [each.of(config.main) for each in combinations]
    check_task_overrides(others, all_combinations)
    if config.baselines:
        added, impossible = missing_baselines(others, all_combinations)
        all_combinations += [Combination(name, (name,)) for name in added]
        plan.baselines = list(dict.fromkeys([*plan.baselines, *added]))
        plan.no_baselines = list(dict.fromkeys([*plan.no_baselines, *impossible]))
    absent = find_data(config, plan.missing, plan.to_download)
    sweep = Path(cfg.hydra.sweep.dir)
    if plan.sweep not in (Path(), sweep):
        raise UserError("a sweep has one folder: `sweep_name` and `paths` have one value each.")
    plan.sweep, plan.dry_run = sweep, config.dry_run
    plan.follow_budget = plan.follow_budget or uses_budget(cfg)
    sums = _checksums(config, plan)
    subset = [name for name in config.tasks if name in sums][:TRIAL_TASKS]
    if subset and make_embeddings(config.embeddings).quick:
        tasks = {name: config.tasks[name] for name in subset}
        trial = replace(config, main=subset[0], aux=dict.fromkeys(subset, True), tasks=tasks)
        plan.trial = plan.trial or trial
    suffix = variant_of(cfg)
    # What was typed may refer to main or aux, as what follows the budget does to their number.
    differs = plan.follow_budget or any(map(INTERPOLATION.search, others))
    runs = []
    for each in all_combinations:
        if absent & each.task_set():
            continue
        aux = each.aux if each.aux is not None else (str(each.main),)
        tasks = {name: config.tasks[name] for name in sorted(each.task_set())}
        own = replace(config, main=str(each.main), aux=dict.fromkeys(aux, True), tasks=tasks)
        own = _resolved_for(cfg, own) if differs else own
        overrides = [*others, f"main={own.main}", f"aux=[{','.join(aux)}]"]
        runs.append((overrides, own, run_folder_of(own.main, own.aux, own.seed, suffix)))
    return Variant(runs, sums)


def _resolved_for(cfg: DictConfig, config: RunConfig) -> RunConfig:
    """Return a run's configuration with what refers to its tasks or its end, as decaying rates do.

    Args:
        cfg: composed for all tasks of the sweep, which a run of would end later.
        config: of the run.
    """
    own = cfg.copy()
    own.main, own.aux = config.main, config.aux
    own.tasks = {name: own.tasks[name] for name in config.tasks}
    return checked(own)


def merge(
    runs: Iterable[tuple[Overrides, RunConfig, str]],
) -> list[tuple[Overrides, RunConfig, str, tuple[float, ...]]]:
    """Return each folder's run once, as the job that trains it longest, with all its budgets."""
    longest: dict[str, tuple[Overrides, RunConfig]] = {}
    budgets: dict[str, set[float]] = {}
    for overrides, config, folder in runs:
        budget = schedule_of(config).budget
        if budget > max(budgets.setdefault(folder, set()), default=0):
            longest[folder] = overrides, config
        budgets[folder].add(budget)
    return [(*longest[folder], folder, tuple(sorted(budgets[folder]))) for folder in budgets]


def _checksums(config: RunConfig, plan: Plan) -> dict[str, Any]:
    """Return the checksums of all that is here; none if the word vectors are not."""
    absent = {*plan.missing, *plan.to_download}
    tasks = {name: task for name, task in config.tasks.items() if name not in absent}
    vectors = make_embeddings(config.embeddings)
    is_here = vectors.is_here()
    if not is_here:
        check_encoder(config)  # before a download that may be of no use
    if config.dry_run and not is_here:
        plan.to_download += ["embeddings"] * ("embeddings" not in plan.to_download)
        return {}
    return checksums(tasks, vectors) if tasks else {}


def _check_subdir(cfg: DictConfig) -> None:
    """Raise an error if the folders of runs do not follow from what the runs are."""
    if "run_folder:" not in str(cfg.hydra.sweep._get_node("subdir")._value()):
        raise UserError(
            f"hydra.sweep.subdir is '{cfg.hydra.sweep.subdir}': several runs would have one "
            "folder. Leave `hydra.sweep.subdir` as it is."
        )
