"""From `conf/` to the configuration of a run: tasks, the groups of tasks, folders of runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.errors import UserError
from mtl_bench.identity import main_matters, variant_name
from mtl_bench.schema import Train
from mtl_bench.tasks.task import Reader, Task

TASK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


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


def register() -> None:
    """Make the groups `main` and `aux` of all tasks, the types, and the resolvers."""
    store = ConfigStore.instance()
    store.store(name="schema", node=Train)
    for name, file in task_files().items():
        try:
            task = read_task(file)
        except UserError:  # told to those who ask for it: see `answers`
            continue
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


def run_folder(*, _root_: DictConfig) -> str:
    """Return a run's folder below its sweep: tasks, overrides that matter, seed."""
    hydra = _hydra(_root_)
    for key, value in (
        ("paths.output_dir", _root_.paths.output_dir),
        ("sweep_name", _root_.sweep_name),
    ):
        if not str(value).strip():
            raise UserError(f"{key} is empty. Was a shell variable not set? Give it a name.")
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


def run_dir(*, _root_: DictConfig) -> str:  # noqa: ARG001 (a resolver's signature)
    """Return the folder of the running job."""
    return str(HydraConfig.get().runtime.output_dir)


def job_type(*, _root_: DictConfig) -> str:
    """Return single, pair, or set."""
    return {1: "single", 2: "pair"}.get(len({_root_.main, *_root_.aux}), "set")


def task_tags(*, _root_: DictConfig) -> list[str]:
    """Return the tasks as tags."""
    return [f"main:{_root_.main}", *(f"aux:{a}" for a in sorted(_root_.aux) if a != _root_.main)]
