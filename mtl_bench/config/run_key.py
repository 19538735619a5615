"""The run key: a hash of all that decides the result of a run, and the folder that follows from it.

How long a run is trained (its budget) is no part of either, so that a run can be extended.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mtl_bench.config.schema import RunConfig
from mtl_bench.runs.decision import Request
from mtl_bench.runs.record import PROTOCOL_VERSION
from mtl_bench.runs.schedule import Schedule, budget_of
from mtl_bench.tasks.definition import Task
from mtl_bench.tasks.definition import checksums as task_checksums
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.trust import trusted

BUDGET_KEYS = ("steps_per_task", "trainer.max_steps")
"""How long a run is trained."""

RESULT_FREE_KEYS = (
    "main",
    "aux",
    "sweep_name",
    "experiment",
    "overwrite",
    "save_weights",
    "keep_checkpoint",
    "dry_run",
    "baselines",
    "skip_missing",
    "paths",
    "logger",
    "callbacks",
    "trainer.accelerator",
    "trainer.devices",
    "hydra",
)
"""What cannot change the result of a run."""

DESCRIPTION_KEYS = (
    "title",
    "licence",
    "citation",
    "homepage",
    "stands_in_for",
    "deviation",
    # Checksums of the files stand for these.
    "sources",
    "obtain",
    "root",
    "folder",
)
"""Of a task: what changes no result."""

VECTOR_FILE_KEYS = ("file", "url", "sha256", "words_sha256", "mirror_only", "licence", "model")
"""Of `embeddings` and `encoder`: the checksum of the files stands for these."""

UNCHANGED: Mapping[str, Any] = {
    "loss_weights": {},
    "task_lr": {},
    "model.loss_over": "words",
    "model.bias_start": "zeros",
    "model.private_layers": {},
}
"""Keys that came after the first records, and the value at which a run is what it was before.

With that value they are left out of the identity, so that a newer version trains nothing again.
"""

RESULT_GROUPS = ("data", "embeddings", "encoder", "model", "sampler", "optimizer")


def variant_name(overrides: Sequence[str], budget_matters: bool = False) -> str:
    """Return the overrides that matter, sorted, as a folder name.

    Args:
        overrides: of the command line.
        budget_matters: whether the configuration follows the budget (see `uses_budget`).

    >>> variant_name(["main=chu", "optimizer.lr=0.5", "seed=1", "steps_per_task=9", "+model.x=[1]"])
    'model.x=[1],optimizer.lr=0.5'
    """
    texts = (override.lstrip("+~") for override in overrides)
    parts = sorted(each for each in texts if _matters(each.partition("=")[0], budget_matters))
    exact = ",".join(parts)
    name = re.sub(r"[^\w.,=+\-\[\]]", "_", exact)
    # A name has at most 255 bytes on common file systems; 120 leave room for the tasks' part.
    if name == exact and len(name) <= 120:
        return name
    # Values that differ only in what a folder's name cannot hold stay apart.
    return f"{name[:100]}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


def _matters(key: str, budget_matters: bool) -> bool:
    """Return whether an override makes another run, with a folder of its own."""
    if key == "seed":  # it has a folder of its own
        return False
    if key in BUDGET_KEYS:
        return budget_matters
    if key.startswith("tasks.") and key.split(".")[-1] in DESCRIPTION_KEYS:
        return False
    return not any(key == free or key.startswith(f"{free}.") for free in RESULT_FREE_KEYS)


def uses_main(config: RunConfig | DictConfig) -> bool:
    """Return whether a run is another if another task of the set is main.

    Then main=a aux=b is not the run of main=b aux=a. Maps by task say `main` where they do.
    """
    by_task = (config.loss_weights, config.task_lr, config.model.private_layers)
    named = any("main" in each for each in by_task if isinstance(each, Mapping | DictConfig))
    return named or sampler_uses_main(config.sampler)


def sampler_uses_main(sampler: Mapping[str, Any]) -> bool:
    """Return whether a sampler draws otherwise if another task of the set is main.

    A sampler declares it: `uses_main` is True, False, or a function of its options. One that does
    not is taken to use it.

    Args:
        sampler: its node of the configuration.
    """
    declared = getattr(trusted(sampler["_target_"], "sampler._target_"), "uses_main", True)
    if not callable(declared):
        return bool(declared)
    return bool(declared(**{str(k): v for k, v in sampler.items() if str(k)[0] != "_"}))


def uses_budget(cfg: DictConfig) -> list[str]:
    """Return the groups that follow the budget, such as a learning rate that decays until its end.

    Such a run cannot be extended: its budget is part of its key.
    """
    texts = {group: OmegaConf.to_yaml(cfg[group]) for group in RESULT_GROUPS}
    return [
        group
        for group, text in texts.items()
        if any(re.search(r"\$\{[^}]*" + re.escape(key), text) for key in BUDGET_KEYS)
    ]


def checksums(tasks: Mapping[str, Task], embeddings: Embeddings) -> dict[str, Any]:
    """Return the sha256 of all that a run reads: the vectors' file, and by task its splits."""
    by_task = {name: task_checksums(name, task) for name, task in tasks.items()}
    return {"embeddings": embeddings.checksum(), **by_task}


def identity(config: RunConfig, checksums: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that determines a run's result, as plain values.

    Args:
        config: of the run.
        checksums: of the vectors and, by task, of every corpus file; those of other tasks are
            left out.
    """
    content: dict[str, Any] = asdict(config)
    for key in (*RESULT_FREE_KEYS, *BUDGET_KEYS):
        section, _, name = key.partition(".")
        if name:
            del content[section][name]
        else:
            content.pop(section, None)
    names = config.task_set()
    content["tasks"] = {name: _task_identity(content["tasks"][name]) for name in names}
    for key in VECTOR_FILE_KEYS:
        for group in ("embeddings", "encoder"):
            content[group].pop(key, None)
    for key, value in UNCHANGED.items():
        group, _, name = key.rpartition(".")
        node = content[group] if group else content
        if node[name] == value:
            del node[name]
    if uses_main(config):
        content["main"] = config.main
    own = {name: checksums[name] for name in ("embeddings", *names)}
    return {"protocol_version": PROTOCOL_VERSION, "checksums": own, **content}


def _task_identity(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a task's definition changes results."""
    content = {key: value for key, value in task.items() if key not in DESCRIPTION_KEYS}
    splits = {
        split: {key: value for key, value in place.items() if key != "file"}
        for split, place in task["splits"].items()
    }
    return {**content, "splits": splits}


def run_key(identity: Mapping[str, Any]) -> str:
    """Return the sha256 of an identity; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def schedule_of(config: RunConfig) -> Schedule:
    """Return the schedule that a configuration asks for."""
    count = len(config.task_set())
    budget = budget_of(config.steps_per_task, config.trainer.max_steps, count)
    return Schedule(count, budget, config.trainer.val_check_interval)


def request_of(config: RunConfig, identity: Mapping[str, Any]) -> Request:
    """Return what is asked of a run."""
    steps = schedule_of(config).steps
    return Request(run_key(identity), steps, config.overwrite, config.save_weights)
