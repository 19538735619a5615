"""What a sweep is to do, known before anything starts: each task set once, finished runs left out.

Hydra would compose every job to learn what it is, half a second each. Here one composition serves
all jobs that differ in their tasks only: it holds the tasks of all, and is narrowed to each.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, open_dict

from mtl_bench.config import schema
from mtl_bench.config.compose import make_embeddings, task_files
from mtl_bench.config.run_key import checksums, config_hash, identity, main_matters, tasks_of
from mtl_bench.errors import UserError
from mtl_bench.runs.record import differences
from mtl_bench.runs.sweep_folder import RunStatus, SweepRun, run_status
from mtl_bench.tasks.definition import is_here, root_of

Overrides = list[str]
Pair = tuple[str | None, list[str] | None]
"""The tasks that `main` and `aux` name; None where an argument is missing."""
Compose = Callable[[Overrides], DictConfig]


@dataclass(frozen=True)
class Job:
    """A run of the sweep: what Hydra is told, what it is, how far it got."""

    overrides: Overrides
    stored: RunStatus


@dataclass
class Plan:
    """The runs of a sweep.

    Attributes:
        sweep: folder.
        jobs: one for each task set, variant and seed.
        missing: how to get it, by task whose data is not here and cannot be downloaded.
        to_download: tasks whose data is fetched before the first run starts.
        baselines: main tasks whose single run was added to those asked for.
        no_baselines: main tasks whose single run could not be added.
        dry_run: whether to stop after showing the plan.
        whole: a configuration with all tasks whose data is here; None if there are none.
    """

    sweep: Path
    jobs: list[Job] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    to_download: list[str] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    no_baselines: list[str] = field(default_factory=list)
    dry_run: bool = False
    whole: DictConfig | None = None

    def left(self) -> list[Job]:
        """Return the jobs that are not finished."""
        return [job for job in self.jobs if job.stored.state != "finished"]

    def steps_left(self) -> int:
        """Return the steps still to train."""
        return sum(job.stored.run.steps - job.stored.steps_done for job in self.left())


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
    parser = OverridesParser.create()
    variants: dict[tuple[str, ...], list[Pair]] = {}
    for job in jobs:
        parsed = {o.key_or_group: o for o in parser.parse_overrides(list(job))}
        others = tuple(o for o in job if o.partition("=")[0] not in ("main", "aux"))
        mains, aux = (_choices(parsed.get(group)) for group in ("main", "aux"))
        variants.setdefault(others, []).append((mains[0] if mains else None, aux))
    _one_value("dry_run", "overwrite", "skip_missing", "baselines", of=jobs)
    plan = Plan(Path())
    seen: dict[str, tuple[str, ...]] = {}
    for others, pairs in variants.items():
        names = dict.fromkeys(n for main, aux in pairs for n in (main, *(aux or ())) if n)
        _check_names(names)
        chosen = [f"main={pairs[0][0]}"] if pairs[0][0] else []  # all jobs name it, or none does
        cfg = compose_job([*others, *chosen, f"aux=[{','.join(names)}]"])
        for key in schema.unknown_keys(cfg):
            raise UserError(f"{key}: there is no such key, and nothing would read it.")
        schema.check(cfg)
        default = cfg.main
        _check_task_overrides(others, pairs, cfg)
        pairs = pairs + _missing_baselines(others, pairs, cfg, plan)
        if skipped := _look_for_data(cfg, plan):
            pairs = [pair for pair in pairs if not skipped & {pair[0], *(pair[1] or ())}]
        if plan.jobs and plan.sweep != Path(cfg.hydra.sweep.dir):
            raise UserError("a sweep has one folder: `sweep_name` and `paths` have one value each.")
        plan.sweep = Path(cfg.hydra.sweep.dir)
        plan.dry_run = cfg.dry_run
        variant = _Variant(cfg, plan)
        plan.whole = plan.whole or (_whole(cfg, variant.checksums) if variant.checksums else None)
        for main, aux in pairs:
            cfg.main = main or default
            with open_dict(cfg):
                cfg.aux = dict.fromkeys([cfg.main] if aux is None else aux, True)
            folder = str(cfg.hydra.sweep.subdir)
            tasks = tuple(sorted({cfg.main, *cfg.aux}))
            if seen.setdefault(folder, tasks) != tasks:
                raise UserError(
                    f"{plan.sweep / folder}: is the folder of {'+'.join(seen[folder])} and of "
                    f"{'+'.join(tasks)}. Leave `hydra.sweep.subdir` as it is."
                )
            if folder not in {job.stored.run.folder for job in plan.jobs}:
                overrides = [*others, f"main={cfg.main}", f"aux=[{','.join(cfg.aux)}]"]
                plan.jobs.append(Job(overrides, variant.stored(plan.sweep, folder)))
    if not plan.jobs:
        raise UserError(f"every run needs data that is missing: {', '.join(plan.missing)}.")
    return plan


def _one_value(*keys: str, of: Sequence[Overrides]) -> None:
    """Raise an error if jobs have different values of a key that concerns the whole sweep."""
    for key in keys:
        values = {o for job in of for o in job if o.partition("=")[0] == key}
        if len(values) > 1:
            raise UserError(
                f"{key} has one value for all runs of a sweep. Given: {sorted(values)}."
            )


def _check_names(names: Iterable[str]) -> None:
    """Raise an error if there is no task of a name."""
    known = list(task_files())
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3)
            raise UserError(
                f"there is no task '{name}'."
                + (f" Did you mean {' or '.join(close)}?" if close else "")
                + f"\nPossible: {', '.join(known)}."
            )


def plan_single(cfg: DictConfig, folder: Path) -> Plan:
    """Return the plan of a run by itself."""
    plan = Plan(folder.parent, dry_run=cfg.dry_run)
    _look_for_data(cfg, plan)
    plan.jobs.append(Job([], _Variant(cfg, plan).stored(folder.parent, folder.name)))
    return plan


def _whole(cfg: DictConfig, here: Mapping[str, Any]) -> DictConfig:
    """Return a copy of a configuration for all its tasks that are here."""
    names = [name for name in cfg.tasks if name in here]
    copy = cfg.copy()
    with open_dict(copy):
        copy.main, copy.aux = names[0], dict.fromkeys(names, True)
        copy.tasks = {name: cfg.tasks[name] for name in names}
        del copy["hydra"]
    return copy


def _choices(override: Override | None) -> list[str] | None:
    """Return the tasks that an override of `main` or `aux` names; None if there is none."""
    if override is None:
        return None
    value = override.value()
    if value is None or value == "":
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _check_task_overrides(others: Sequence[str], pairs: Sequence[Pair], cfg: DictConfig) -> None:
    """Raise an error for `tasks.chu...=` where some run has no task chu."""
    for override in others:
        key = override.partition("=")[0].lstrip("+~")
        name = key.split(".")[1] if key.startswith("tasks.") and key.count(".") > 1 else None
        without = [p for p in pairs if name and name not in (p[0] or cfg.main, *(p[1] or ()))]
        if without:
            raise UserError(
                f"{key}: task '{name}' is not in {len(without)} of the {len(pairs)} combinations "
                "of main and aux, so that this override means nothing there.\nSweep over those "
                f"with '{name}' by themselves, or change the task's yaml."
            )


def _missing_baselines(
    others: Sequence[str], pairs: Sequence[Pair], cfg: DictConfig, plan: Plan
) -> list[Pair]:
    """Return the single runs of main tasks that are trained with others only, and note them.

    An override of one task has no place in the single run of another, which is not added then.
    """
    if not cfg.baselines:
        return []
    keys = [override.lstrip("+~") for override in others]
    of_tasks = {key.split(".")[1] for key in keys if key.startswith("tasks.")}
    sets = [(main or cfg.main, {main or cfg.main, *(aux or ())}) for main, aux in pairs]
    single = {main for main, tasks in sets if len(tasks) == 1}
    missing = [main for main in dict.fromkeys(main for main, _ in sets) if main not in single]
    possible = [name for name in missing if of_tasks <= {name}]
    plan.baselines += [name for name in possible if name not in plan.baselines]
    plan.no_baselines += [name for name in missing if name not in possible]
    return [(name, [name]) for name in possible]


def _look_for_data(cfg: DictConfig, plan: Plan) -> set[str | None]:
    """Note tasks whose data is not here; return those that are skipped."""
    lacking: dict[str, str] = {}
    for name, task in tasks_of(cfg).items():
        if is_here(task):
            continue
        if task.sources and cfg.dry_run:
            plan.to_download += [name] * (name not in plan.to_download)
            continue
        try:
            root_of(task)  # now, by one process, and not in the middle of the sweep
        except UserError as error:
            lacking[name] = str(error)
    plan.missing |= lacking
    if lacking and not cfg.skip_missing and not cfg.dry_run:
        how = "\n\n".join(f"{name}: {reason}" for name, reason in lacking.items())
        raise UserError(
            f"the data of {', '.join(lacking)} is missing:\n\n{how}\n\n"
            "Get it, or leave out all runs with these tasks: skip_missing=true."
        )
    return set(lacking)


class _Variant:
    """The runs that differ in their tasks only: a configuration that holds the tasks of all."""

    def __init__(self, cfg: DictConfig, plan: Plan) -> None:
        self.cfg = cfg
        self.tasks = tasks_of(cfg)
        lacking = {*plan.missing, *plan.to_download}
        here = {name: task for name, task in self.tasks.items() if name not in lacking}
        vectors = make_embeddings(cfg)
        if cfg.dry_run and not vectors.is_here():
            plan.to_download += ["word vectors"] * ("word vectors" not in plan.to_download)
            here = {}
        self.checksums = checksums(here, vectors) if here else {}
        self._identity: dict[str, Any] | None = None

    def stored(self, sweep: Path, folder: str) -> RunStatus:
        """Return the run of the tasks that `main` and `aux` name now, and how far it got.

        Raises:
            UserError: its folder holds a run of another configuration.
        """
        names = sorted({self.cfg.main, *self.cfg.aux})
        steps = self.cfg.trainer.max_steps
        steps = self.cfg.steps_per_task * len(names) if steps is None else steps
        planned = SweepRun(folder, tuple(names), self.cfg.seed, steps)
        if self.cfg.overwrite:
            return RunStatus(planned, "waiting")
        stored = run_status(sweep, planned)
        known = all(name in self.checksums for name in names)
        if stored.record and stored.state in ("finished", "interrupted") and known:
            asked = self._of(names)
            if config_hash(asked) != stored.record.config_hash:
                raise UserError(differences(sweep / folder, stored.record, asked))
        return stored

    def _of(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the identity of the run of some tasks."""
        if self._identity is None or main_matters(self.cfg):
            self._identity = identity(self.cfg, self.checksums)
        return {
            **self._identity,
            "checksums": {name: self.checksums[name] for name in ("embeddings", *names)},
            "tasks": {name: self._identity["tasks"][name] for name in names},
        }
