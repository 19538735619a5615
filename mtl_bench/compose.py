"""From `conf/` to the configuration of a run: groups of tasks, folders of runs, and the hash."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.errors import UserError
from mtl_bench.runs.record import PROTOCOL_VERSION
from mtl_bench.tasks.corpus import SPLITS
from mtl_bench.tasks.task import Reader, Task
from mtl_bench.tasks.task import checksums as task_checksums
from mtl_bench.text.embeddings import Embeddings

TASK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")

# The keys of `trainer.*` that are not Lightning's own.
SCHEDULE_KEYS = ("max_steps", "val_check_interval", "threads")
TRAINER_KEYS = ("accelerator", "devices", "precision", "deterministic", "benchmark", "profiler")
PRECISIONS = ("32-true", "64-true")

# What cannot change the result of a run: no part of its hash, and no folder of its own.
FREE_KEYS = (
    "main", "aux", "sweep_name", "experiment", "overwrite", "save_weights", "dry_run",
    "skip_missing", "paths", "logger", "callbacks", "trainer.accelerator", "trainer.devices",
    "hydra",
)  # fmt: skip
DESCRIPTION_KEYS = (
    *("title", "licence", "citation", "homepage", "stands_in_for", "deviation"),
    *("sources", "obtain", "root", "folder"),  # checksums of the files stand for them
)


@dataclass
class Data:
    """Types of `data.*`; the yaml files say what the keys mean."""

    batch_size: int = MISSING
    lowercase: bool = MISSING
    max_length: int | None = None
    dev_share: float = MISSING
    split_seed: int = MISSING
    curve_split: str = MISSING
    final_split: str = MISSING
    cut_evaluation: bool = MISSING
    whole_batches: bool = MISSING


@dataclass
class Model:
    """Types of `model.*`."""

    hidden_size: int = MISSING
    dropout: float = MISSING
    label_weights: str = MISSING


@dataclass
class Callbacks:
    """Types of `callbacks.*`."""

    checkpoint_seconds: float = MISSING
    progress: bool = MISSING


@dataclass
class Paths:
    """Types of `paths.*`."""

    output_dir: str = MISSING


@dataclass
class Train:
    """Types of the top-level keys; groups with a `_target_` are typed by what they name."""

    main: str = MISSING
    aux: dict[str, bool] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    data: Data = field(default_factory=Data)
    embeddings: Any = MISSING
    encoder: Any = MISSING
    model: Model = field(default_factory=Model)
    sampler: Any = MISSING
    optimizer: Any = MISSING
    trainer: Any = MISSING
    logger: Any = field(default_factory=dict)
    callbacks: Callbacks = field(default_factory=Callbacks)
    paths: Paths = field(default_factory=Paths)
    seed: int = MISSING
    steps_per_task: int = MISSING
    sweep_name: str = MISSING
    overwrite: bool = MISSING
    save_weights: bool = MISSING
    dry_run: bool = MISSING
    skip_missing: bool = MISSING


def conf_folder() -> Path:
    """Return the folder of the configuration: beside the package, or inside it when installed."""
    inside = Path(__file__).parent / "conf"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "conf"


def task_files() -> dict[str, Path]:
    """Return the yaml of every task by name: ours, and those of MTL_BENCH_TASKS.

    Raises:
        UserError: a folder is missing, a name cannot be used, or stands in two folders.
    """
    folders = [conf_folder() / "task"]
    folders += [Path(f).expanduser() for f in os.environ.get("MTL_BENCH_TASKS", "").split(":") if f]
    files: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"MTL_BENCH_TASKS: '{folder}' is not a folder.")
        for file in sorted(folder.glob("*.yaml")):
            name = file.stem
            if not TASK_NAME.fullmatch(name) or name == "main":
                raise UserError(
                    f"{file}: '{name}' cannot be a task's name. Names are lower-case letters, "
                    "digits, '_' and '-', begin with a letter or digit, and are not 'main'."
                )
            if name in files:
                raise UserError(f"task '{name}' is defined twice: {files[name]} and {file}.")
            files[name] = file.absolute()
    return files


def read_task(file: Path) -> DictConfig:
    """Return a task's definition, typed.

    Raises:
        UserError: the yaml has a key that no task has, lacks one, or a value of the wrong type.
    """
    try:
        content = OmegaConf.load(file)
        task = OmegaConf.merge(OmegaConf.structured(Task), content)
        missing = sorted(OmegaConf.missing_keys(task))
    except OmegaConfBaseException as error:
        raise UserError(
            f"{file}: {str(error).splitlines()[0]}.\nKeys of a task: "
            f"{', '.join(Task.__dataclass_fields__)}."
        ) from None
    except Exception as error:  # yaml has no common error type that OmegaConf passes on
        raise UserError(f"{file}: is not valid YAML: {error}") from None
    if missing:
        raise UserError(f"{file}: lacks {', '.join(missing)}.")
    assert isinstance(task, DictConfig)
    task.folder = str(file.parent)
    if task.max_length is None:
        task.max_length = "${data.max_length}"
    return task


def plain_task(file: Path) -> Task:
    """Return a task's definition outside of any run."""
    task = read_task(file)
    if OmegaConf.is_interpolation(task, "max_length"):
        task.max_length = None
    plain = OmegaConf.to_object(task)
    assert isinstance(plain, Task)
    return plain


def register() -> None:
    """Make the groups `main` and `aux` of all tasks, the types, and the resolvers."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Train)
    for name, file in task_files().items():
        task = read_task(file)
        store.store(
            group="main", name=name, package="_global_", node={"main": name, "tasks": {name: task}}
        )
        store.store(
            group="aux",
            name=name,
            package="_global_",
            node={"aux": {name: True}, "tasks": {name: task}},
        )
    for resolver in (run_folder, sweep_name, run_dir, job_type, task_tags):
        OmegaConf.register_new_resolver(resolver.__name__, resolver, replace=True)


def is_sweep(override: str) -> bool:
    """Return whether `experiment=<name>` names one that is a sweep."""
    file = conf_folder() / "experiment" / f"{override.partition('=')[2]}.yaml"
    return file.is_file() and OmegaConf.select(OmegaConf.load(file), "hydra.mode") == "MULTIRUN"


def unknown_keys(cfg: DictConfig) -> list[str]:
    """Return keys that `+key=...` added where no key can be added, since nothing reads it."""
    groups = {"": Train, "data": Data, "model": Model, "callbacks": Callbacks, "paths": Paths}
    return [
        f"{group}.{key}" if group else key
        for group, schema in groups.items()
        for key in map(str, cfg[group] if group else cfg)
        if key not in {"hydra", *(f.name for f in fields(schema))}
    ]


def run_folder(*, _root_: DictConfig) -> str:
    """Return a run's folder below its sweep: tasks, overrides that matter, seed."""
    hydra = _hydra(_root_)
    if Path(_root_.sweep_name).is_absolute() or ".." in Path(_root_.sweep_name).parts:
        raise UserError(
            f"sweep_name is '{_root_.sweep_name}'; it is a name below `paths.output_dir`, which "
            "you can set as well."
        )
    parts = ["+".join(sorted({_root_.main, *_root_.aux}))]
    marks = [f"main={_root_.main}"] if main_matters(_root_) else []
    experiment = hydra and hydra.runtime.choices.get("experiment")
    if experiment and experiment != _root_.sweep_name:  # else it is the sweep's folder
        marks.append(f"experiment={experiment}")
    overrides = variant_name(list(hydra.overrides.task) if hydra else [])
    variant = ",".join(filter(None, (*marks, overrides)))
    if variant:
        parts.append(variant)
    return "/".join([*parts, f"seed{_root_.seed}"])


def sweep_name(*, _root_: DictConfig) -> str:
    """Return the default name of a sweep: its experiment's."""
    hydra = _hydra(_root_)
    return (hydra and hydra.runtime.choices.get("experiment")) or "default"


def _hydra(root: DictConfig) -> DictConfig | None:
    """Return Hydra's own configuration: in the tree while Hydra composes, apart in a job."""
    node = OmegaConf.select(root, "hydra") if "hydra" in root else None
    if isinstance(node, DictConfig) and "overrides" in node:
        return node
    return DictConfig(HydraConfig.get()) if HydraConfig.initialized() else None


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


def run_dir(*, _root_: DictConfig) -> str:  # noqa: ARG001 (a resolver's signature)
    """Return the folder of the running job."""
    return str(HydraConfig.get().runtime.output_dir)


def job_type(*, _root_: DictConfig) -> str:
    """Return single, pair, or set."""
    return {1: "single", 2: "pair"}.get(len({_root_.main, *_root_.aux}), "set")


def task_tags(*, _root_: DictConfig) -> list[str]:
    """Return the tasks as tags."""
    return [f"main:{_root_.main}", *(f"aux:{a}" for a in sorted(_root_.aux) if a != _root_.main)]


def check(cfg: DictConfig) -> None:
    """Raise an error if a number or an option of the trainer makes no sense.

    Raises:
        UserError: with the key, what was given, and what is allowed.
    """
    for key, fits, allowed in (
        ("seed", 0 <= cfg.seed < 2**32, "from 0 to 4294967295"),
        ("steps_per_task", cfg.steps_per_task >= 0, "0 or more"),
        ("data.batch_size", cfg.data.batch_size >= 1, "at least 1"),
        ("data.dev_share", 0 <= cfg.data.dev_share < 1, "from 0 to below 1"),
        ("trainer.threads", cfg.trainer.threads >= 1, "at least 1"),
        ("trainer.devices", cfg.trainer.devices == 1, "1: run several runs side by side instead"),
        ("trainer.precision", str(cfg.trainer.precision) in PRECISIONS, " or ".join(PRECISIONS)),
        *(
            (
                f"tasks.{n}.max_length",
                t.max_length is None or t.max_length >= 1,
                "at least 1, or null",
            )
            for n, t in cfg.tasks.items()
        ),
        *(
            (f"data.{key}", cfg.data[key] in SPLITS, "one of " + ", ".join(SPLITS))
            for key in ("curve_split", "final_split")
        ),
    ):
        if not fits:
            raise UserError(f"{key} is {OmegaConf.select(cfg, key)!r}; allowed is: {allowed}.")
    odd = sorted(set(cfg.trainer) - {*SCHEDULE_KEYS, *TRAINER_KEYS})
    if odd:
        raise UserError(
            f"trainer.{odd[0]}: this option of Lightning's would not do here what it says, since a "
            "call of the module takes many steps.\n"
            f"Possible: {', '.join(f'trainer.{key}' for key in (*SCHEDULE_KEYS, *TRAINER_KEYS))}."
        )


def make_reader(name: str, task: Task) -> Reader:
    """Return the reader that a task's yaml describes.

    Raises:
        UserError: there is none such, or it does not take these options.
    """
    try:
        reader = instantiate(task.reader)
        if not callable(reader) or "_target_" not in task.reader:
            raise TypeError("it has no `_target_` that names a reader")
    except (TypeError, InstantiationException) as error:
        cause = error.__cause__
        if isinstance(cause, UserError):
            raise UserError(f"task '{name}', its reader: {cause}") from None
        raise UserError(
            f"task '{name}': its reader cannot be made: {cause or error}\nGiven: {task.reader}"
        ) from error
    found: Reader = reader
    return found


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
