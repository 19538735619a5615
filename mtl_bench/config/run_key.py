"""What decides the result of a run: its identity, its hash, and the folder that follows from it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mtl_bench.runs.record import PROTOCOL_VERSION
from mtl_bench.tasks.definition import Task
from mtl_bench.tasks.definition import checksums as task_checksums
from mtl_bench.text.embeddings import Embeddings

# What cannot change the result of a run: no part of its hash, and no folder of its own.
FREE_KEYS = (
    "main", "aux", "sweep_name", "experiment", "overwrite", "save_weights", "dry_run", "baselines",
    "skip_missing", "paths", "logger", "callbacks", "trainer.accelerator", "trainer.devices",
    "hydra",
)  # fmt: skip
DESCRIPTION_KEYS = (
    *("title", "licence", "citation", "homepage", "stands_in_for", "deviation"),
    *("sources", "obtain", "root", "folder"),  # checksums of the files stand for them
)


def variant_name(overrides: list[str]) -> str:
    """Return the overrides that matter, sorted, as a folder name.

    >>> variant_name(["main=chu", "optimizer.lr=0.5", "seed=1", "logger=wandb", "+model.x=[1,2]"])
    'model.x=[1,2],optimizer.lr=0.5'
    """
    stripped = (override.lstrip("+~") for override in overrides)
    kept = sorted(each for each in stripped if not _is_free(each.partition("=")[0]))
    name = re.sub(r"[^\w.,=+\-\[\]]", "_", ",".join(kept))
    exact = ",".join(kept)
    if name == exact and len(name) <= 120:
        return name
    # Values that differ only in what a folder's name cannot hold stay apart.
    return f"{name[:100]}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"


def _is_free(key: str) -> bool:
    if key == "seed" or (key.startswith("tasks.") and key.split(".")[-1] in DESCRIPTION_KEYS):
        return True  # a seed has a folder of its own; a description changes nothing
    return any(key == free or key.startswith(f"{free}.") for free in FREE_KEYS)


def main_matters(cfg: DictConfig) -> bool:
    """Return whether the sampler names `main`: then main=a aux=b is not main=b aux=a."""
    return "main" in (cfg.sampler.get("weights") or {})


def tasks_of(cfg: DictConfig) -> dict[str, Task]:
    """Return the definitions of a run's tasks, in the order of their names."""
    objects = {name: OmegaConf.to_object(cfg.tasks[name]) for name in sorted(cfg.tasks)}
    return {name: task for name, task in objects.items() if isinstance(task, Task)}  # all are


def checksums(tasks: Mapping[str, Task], embeddings: Embeddings) -> dict[str, Any]:
    """Return the sha256 of all that a run reads: the vectors' file, and by task its splits."""
    own = {name: task_checksums(name, task) for name, task in tasks.items()}
    return {"embeddings": embeddings.checksum(), **own}


def identity(cfg: DictConfig, checksums: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that determines a run's result, as plain values.

    Args:
        cfg: the run's configuration.
        checksums: of every corpus file and of the vectors.
    """
    copy = OmegaConf.create({key: cfg._get_node(key) for key in cfg if key not in FREE_KEYS})
    content = OmegaConf.to_container(copy, resolve=True)
    assert isinstance(content, dict)
    for key in FREE_KEYS:
        group, _, name = key.partition(".")
        content.get(group, {}).pop(name, None)
    for task in content["tasks"].values():
        for key in DESCRIPTION_KEYS:
            del task[key]
        for split in task["splits"].values():
            del split["file"]  # its checksum stands for it
    for key in ("file", "url", "sha256", "words_sha256", "mirror_only", "licence"):
        content["embeddings"].pop(key, None)  # its checksum stands for it
    if main_matters(cfg):
        weights = content["sampler"]["weights"]
        weights[cfg.main] = weights.pop("main")
    return {"protocol_version": PROTOCOL_VERSION, "checksums": dict(checksums), **content}


def config_hash(identity: Mapping[str, Any]) -> str:
    """Return the sha256 of an identity; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
