"""Where a run's folder is, and other names that follow from its configuration."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from mtl_bench.config.run_key import uses_budget, uses_main, variant_name
from mtl_bench.errors import UserError
from mtl_bench.runs.schedule import Schedule, budget_of
from mtl_bench.runs.sweep_folder import PUBLISHED


def run_folder(*, _root_: DictConfig) -> str:
    """Return a run's folder below its sweep: tasks, overrides that matter, seed."""
    for key, value in (
        ("paths.output_dir", _root_.paths.output_dir),
        ("sweep_name", _root_.sweep_name),
    ):
        if not str(value).strip():
            raise UserError(f"{key} is empty. Was a shell variable not set? Give it a name.")
    name = Path(_root_.sweep_name)
    odd = ".." in name.parts or str(name).startswith("-")
    if odd or not name.parts or name.is_absolute() or str(name) == PUBLISHED:
        raise UserError(
            f"sweep_name is '{_root_.sweep_name}'; it is a name below `paths.output_dir`, which "
            "you can set as well. It does not begin with `-`, which commands take for an option, "
            f"and is not `{PUBLISHED}`, the paper's own runs."
        )
    return run_folder_of(_root_.main, _root_.aux, _root_.seed, variant_of(_root_))


def variant_of(cfg: DictConfig) -> str:
    """Return what tells runs of the same tasks and seed apart, as a folder name.

    `{main}` in it stands for the main task, where the run depends on which one that is.
    """
    hydra = _hydra(cfg)
    # main=a aux=b and main=b aux=a would else share the folder of one run, and be two.
    marks = ["main={main}"] if uses_main(cfg) else []
    name = experiment(cfg)
    if name and name != cfg.sweep_name:  # else it is the sweep's folder
        marks.append(f"experiment={name}")
    overrides = variant_name(list(hydra.overrides.task) if hydra else [], bool(uses_budget(cfg)))
    return ",".join(filter(None, (*marks, overrides)))


def run_folder_of(main: str, aux: Iterable[str], seed: int, variant: str) -> str:
    """Return a run's folder below its sweep's.

    >>> run_folder_of("pos", ["chu"], 3, "optimizer.lr=0.5")
    'chu+pos/optimizer.lr=0.5/seed3'
    """
    # Sorted: main=a aux=b and main=b aux=a are one run, unless the sampler uses the main task.
    tasks = "+".join(sorted({main, *aux}))
    return "/".join(filter(None, (tasks, variant.replace("{main}", main), f"seed{seed}")))


def sweep_name(*, _root_: DictConfig) -> str:
    """Return the default name of a sweep: its experiment's."""
    return experiment(_root_) or "default"


def experiment(cfg: DictConfig | None = None) -> str:
    """Return the experiment that was chosen, of a configuration or of the running job."""
    hydra = _hydra(cfg if cfg is not None else DictConfig({}))
    return (hydra and hydra.runtime.choices.get("experiment")) or ""


def _hydra(root: DictConfig) -> DictConfig | None:
    """Return Hydra's own configuration: in the tree while Hydra composes, apart in a job."""
    node = OmegaConf.select(root, "hydra") if "hydra" in root else None
    if isinstance(node, DictConfig) and "overrides" in node:
        return node
    return DictConfig(HydraConfig.get()) if HydraConfig.initialized() else None


def run_dir(*, _root_: DictConfig) -> str:  # noqa: ARG001 (a resolver's signature)
    """Return the folder of the running job; empty while a sweep is planned."""
    ready = HydraConfig.initialized()
    folder = (
        OmegaConf.select(DictConfig(HydraConfig.get()), "runtime.output_dir") if ready else None
    )
    return str(folder or "")


def total_steps(steps_per_task: int, max_steps: int | None, *, _root_: DictConfig) -> int:
    """Return the steps of the run, all its tasks together, for options that follow the end."""
    tasks = len({_root_.main, *_root_.aux})
    return Schedule(tasks, budget_of(steps_per_task, max_steps, tasks)).steps


def is_single_job(*, _root_: DictConfig) -> bool:
    """Return whether the run is started by itself, and not by a sweep."""
    hydra = _hydra(_root_)
    return hydra is None or hydra.mode != RunMode.MULTIRUN


def job_type(*, _root_: DictConfig) -> str:
    """Return single, pair, or set."""
    return {1: "single", 2: "pair"}.get(len({_root_.main, *_root_.aux}), "set")


def task_tags(*, _root_: DictConfig) -> list[str]:
    """Return the tasks as tags."""
    return [f"main:{_root_.main}", *(f"aux:{a}" for a in sorted(_root_.aux) if a != _root_.main)]


RESOLVERS = (
    run_folder, sweep_name, run_dir, total_steps, is_single_job, job_type, task_tags
)  # fmt: skip
"""What `${<name>:}` in a yaml calls."""
