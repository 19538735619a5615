"""Task definitions: their yaml files, and what is made of one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf, flag_override, open_dict
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.config.mistakes.overrides import TASK_GROUPS
from mtl_bench.errors import UserError
from mtl_bench.runs.record import TASK_NAME
from mtl_bench.tasks.definition import LANGUAGE_MODEL, Reader, Task
from mtl_bench.tasks.types.base import TaskType
from mtl_bench.trust import check_path, make, trusted

INTERPOLATION = "${"
"""What a task's yaml may not hold: it could read the environment."""


def conf_folder() -> Path:
    """Return the folder of the configuration: beside the package, or inside it when installed."""
    inside = Path(__file__).parents[1] / "conf"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "conf"


def options(group: str) -> list[str]:
    """Return what can be chosen in a group of the configuration."""
    if group in TASK_GROUPS:
        return sorted(task_files())
    return sorted(file.stem for file in (conf_folder() / group).glob("*.yaml"))


def task_folders() -> list[Path]:
    """Return where yamls of tasks are: our folder, and those of MTL_BENCH_TASKS."""
    own = os.environ.get("MTL_BENCH_TASKS", "").split(":")
    return [conf_folder() / "task", *(Path(folder).expanduser() for folder in own if folder)]


def task_files() -> dict[str, Path]:
    """Return the yaml of every task by name: ours, and those of MTL_BENCH_TASKS.

    Raises:
        UserError: a folder is missing, a name cannot be used, or stands in two folders.
    """
    files: dict[str, Path] = {}
    for folder in task_folders():
        if not folder.is_dir():
            raise UserError(f"MTL_BENCH_TASKS: '{folder}' is not a folder.")
        for file in sorted(folder.glob("*.yaml")):
            name = file.stem
            # `main` stands for the main task, whichever it is, in `sampler.weights`.
            if not TASK_NAME.fullmatch(name) or name == "main":
                raise UserError(
                    f"{file}: '{name}' cannot be a task's name. Names are lower-case letters, "
                    "digits, '_' and '-', at most 100, begin with a letter or digit, and are not "
                    "'main'."
                )
            if name in files:
                raise UserError(f"task '{name}' is defined twice: {files[name]} and {file}.")
            files[name] = file.absolute()
    return files


def is_task(name: str) -> bool:
    """Return whether there is a task of a name, or the language model of one."""
    return bool(task_file(name) or task_file(name.removeprefix(LANGUAGE_MODEL)))


def task_file(name: str) -> Path | None:
    """Return the yaml of a task; None if there is no such task.

    It lists no folder, so that a thousand tasks can be looked up one by one.
    """
    if not TASK_NAME.fullmatch(name):
        return None
    files = (folder / f"{name}.yaml" for folder in task_folders())
    return next((file.absolute() for file in files if file.is_file()), None)


def named_task(name: str) -> DictConfig:
    """Return the definition of a task; `lm_<task>` is a language model of a task's sentences.

    Raises:
        UserError: its yaml is not what it should be.
        KeyError: there is no such task.
    """
    if file := task_file(name):
        return read_task(file)
    file = task_file(name.removeprefix(LANGUAGE_MODEL))
    if file is None:
        raise KeyError(name)
    task = read_task(file)
    task.title = f"Language model of: {task.title}"
    task.type = {"name": "language_model"}
    for key in ("outside", "spans", "stands_in_for", "deviation"):
        task[key] = None
    return task


def add_tasks(cfg: DictConfig, names: Iterable[str]) -> None:
    """Add tasks to a composed configuration, as `aux` would.

    Hydra merges each choice of a group with all that it merged before, so that composing a
    thousand tasks takes minutes.
    """
    # The nodes are new: to copy them would take longer than to read them.
    with open_dict(cfg), flag_override(cfg, "no_deepcopy_set_nodes", True):
        for name in names:
            cfg.aux[name] = True
            if name not in cfg.tasks:
                cfg.tasks[name] = named_task(name)


def read_task(file: Path) -> DictConfig:
    """Return a task's definition, typed.

    Raises:
        UserError: the yaml has a key that no task has, lacks one, or a value of the wrong type.
    """
    try:
        content = OmegaConf.load(file)
        if not isinstance(content, DictConfig):
            keys = ", ".join(Task.__dataclass_fields__)
            raise UserError(f"{file}: is not a map with the keys of a task: {keys}.")
        _check_interpolations(OmegaConf.to_container(content, resolve=False), file)
        task = OmegaConf.merge(_schema(), content)
        missing = sorted(OmegaConf.missing_keys(task))
    except UserError:
        raise
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
        # An interpolation: data.max_length may still be set on the command line.
        task.max_length = "${data.max_length}"
    return task


def _check_interpolations(tree: Any, file: Path) -> None:
    """Refuse interpolations.

    Raises:
        UserError: there is one; the file may be a stranger's, and its texts go into records.
    """
    if isinstance(tree, dict):
        tree = [*tree, *tree.values()]
    if isinstance(tree, list):
        for each in tree:
            _check_interpolations(each, file)
    elif isinstance(tree, str) and INTERPOLATION in tree:
        raise UserError(
            f"{file}: holds '{tree[:80]}'. The yaml of a task has no interpolations; write the "
            "value itself. Without `max_length`, `data.max_length` counts."
        )


@cache  # merging copies it, in a quarter of the time that making it takes
def _schema() -> DictConfig:
    """Return the keys of a task, typed."""
    schema: DictConfig = OmegaConf.structured(Task)
    return schema


def plain_task(task: str | Path) -> Task:
    """Return the definition of a task, by its name or yaml, outside of any run."""
    content = named_task(task) if isinstance(task, str) else read_task(task)
    # Without a run there is no `data` that it could refer to.
    if OmegaConf.is_interpolation(content, "max_length"):
        content.max_length = None
    plain = OmegaConf.to_object(content)
    assert isinstance(plain, Task)
    return plain


def make_reader(name: str, task: Task) -> Reader:
    """Return the reader that a task's yaml describes.

    Raises:
        UserError: there is none such, or it does not take these options.
    """
    try:
        reader = make(task.reader, f"task '{name}': its reader")
        if not callable(reader) or "_target_" not in task.reader:
            raise TypeError("it has no `_target_` that names a reader")
    except (TypeError, RecursionError, OmegaConfBaseException, InstantiationException) as error:
        cause = error.__cause__
        if isinstance(cause, UserError):
            raise UserError(f"task '{name}', its reader: {cause}") from None
        raise UserError(
            f"task '{name}': its reader cannot be made: {cause or error}\n"
            f"Given: {str(task.reader)[:500]}"
        ) from error
    result: Reader = reader
    return result


def _packaged_type(task: str, name: Any) -> Mapping[str, Any]:
    """Return the yaml of a type of `conf/type`.

    Raises:
        UserError: there is none of that name.
    """
    if name not in options("type"):
        raise UserError(
            f"task '{task}': there is no type '{name}'. Possible: {', '.join(options('type'))}; or "
            "a type of your own: {_target_: my_module.MyType, head: my_module.MyHead}."
        )
    node: Any = OmegaConf.load(conf_folder() / "type" / f"{name}.yaml")
    return dict(node)


def make_type(name: str, task: Task) -> TaskType[Any]:
    """Return the type that a task's yaml names or describes.

    Raises:
        UserError: there is none such, or it does not take these options.
    """
    node = {"name": task.type} if isinstance(task.type, str) else task.type
    if isinstance(node, Mapping | DictConfig) and "name" in node:
        rest = {key: value for key, value in node.items() if key != "name"}
        node = {**_packaged_type(name, node["name"]), **rest}
    if not isinstance(node, Mapping | DictConfig):
        raise UserError(
            f"task '{name}': its type is {node!r}; it is one of {', '.join(options('type'))}, a "
            "map with the `name` of one and its options, or a map with `_target_` and `head`."
        )
    own = {key: value for key in ("outside", "spans") if (value := getattr(task, key)) is not None}
    arguments = {**node, **own}
    try:
        kind = trusted(arguments["_target_"], f"task '{name}': its type")
        if "head" in arguments:  # a text until a run makes it: this module takes no torch
            check_path(str(arguments["head"]), f"task '{name}': its head")
        names = {field.name for field in fields(kind)}
        if surplus := sorted(arguments.keys() - names - {"_target_"}):
            possible = ", ".join(sorted(names - {"head"})) or "none"
            raise UserError(
                f"task '{name}': its type {kind.__name__} has no option {', '.join(surplus)}. "
                f"Possible: {possible}. Remove what it does not take from the task's yaml."
            )
        task_type = make(arguments, f"task '{name}': its type")
        if not isinstance(task_type, TaskType) or not task_type.head:
            raise TypeError("it is no TaskType, or has no `head` that names one")
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        ImportError,
        InstantiationException,
    ) as error:
        cause = error.__cause__ or error
        raise UserError(
            f"task '{name}': its type cannot be made: {cause}\nGiven: {str(arguments)[:500]}. A "
            "type is a map with `_target_`, `head` and options: see mtl_bench/tasks/types/base.py."
        ) from error
    return task_type
