"""From `conf/` to the configuration of a run: tasks, the groups of tasks, folders of runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.errors import InstantiationException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.config.overrides import TASK_GROUPS, check_overrides
from mtl_bench.config.run_key import uses_budget, uses_main, variant_name
from mtl_bench.config.schema import RunConfig, checked, unknown_keys
from mtl_bench.errors import UserError
from mtl_bench.tasks.definition import Reader, Task
from mtl_bench.tasks.types.base import TaskType
from mtl_bench.text.embeddings import Embeddings

TASK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def conf_folder() -> Path:
    """Return the folder of the configuration: beside the package, or inside it when installed."""
    inside = Path(__file__).parents[1] / "conf"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "conf"


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


def options(group: str) -> list[str]:
    """Return what can be chosen in a group of the configuration."""
    if group in TASK_GROUPS:
        return sorted(task_files())
    return sorted(file.stem for file in (conf_folder() / group).glob("*.yaml"))


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
        task = OmegaConf.merge(OmegaConf.structured(Task), content)
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


def make_type(name: str, task: Task) -> TaskType[Any]:
    """Return the type that a task's yaml names or describes.

    Raises:
        UserError: there is none such, or it does not take these options.
    """
    # The head stays a text: this module is imported by planning, which takes no torch.
    node = task.type
    if isinstance(node, str):
        if node not in options("type"):
            raise UserError(
                f"task '{name}': there is no type '{node}'. Possible: "
                f"{', '.join(options('type'))}; or a type of your own: "
                "{_target_: my_module.MyType, head: my_module.MyHead}."
            )
        node = OmegaConf.load(conf_folder() / "type" / f"{node}.yaml")
    if not isinstance(node, Mapping | DictConfig):
        raise UserError(
            f"task '{name}': its type is {node!r}; it is one of {', '.join(options('type'))}, or a "
            "map with `_target_` and `head`."
        )
    own = {key: value for key in ("outside", "spans") if (value := getattr(task, key)) is not None}
    given = {**node, **own}
    try:
        module, _, class_name = str(given["_target_"]).rpartition(".")
        kind = getattr(import_module(module), class_name)
        taken = {field.name for field in fields(kind)}
        if surplus := sorted(given.keys() - taken - {"_target_"}):
            possible = ", ".join(sorted(taken - {"head"})) or "none"
            raise UserError(
                f"task '{name}': its type {kind.__name__} has no option {', '.join(surplus)}. "
                f"Possible: {possible}. Remove what it does not take from the task's yaml."
            )
        made = instantiate(given)
        if not isinstance(made, TaskType) or not made.head:
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
            f"task '{name}': its type cannot be made: {cause}\nGiven: {given}. A type is a map "
            "with `_target_`, `head` and options: see mtl_bench/tasks/types/base.py."
        ) from error
    return made


def make_embeddings(node: Mapping[str, Any]) -> Embeddings:
    """Return where a run's word vectors come from.

    Args:
        node: `embeddings` of a configuration.

    Raises:
        UserError: an option is not what it should be.
    """
    try:
        embeddings: Embeddings = instantiate(node)
    except InstantiationException as error:
        given = " ".join(f"embeddings.{k}={v}" for k, v in node.items() if k[0] != "_")
        raise UserError(f"embeddings: {error.__cause__ or error}\nGiven: {given}") from None
    return embeddings


class TaskSource(ConfigSource):
    """The groups `main` and `aux`, as if each had a yaml for every task.

    A task's yaml is read when the task is chosen. In Hydra's ConfigStore, all of them would be read
    at every start, and copied with the store whenever Hydra composes or lists a group.
    """

    @staticmethod
    def scheme() -> str:
        """Return what the source is called in a search path."""
        return "tasks"

    def load_config(self, config_path: str) -> ConfigResult:
        """Return what `main=<task>` or `aux=<task>` adds to a configuration."""
        group, name = _group_and_task(config_path)
        chosen = {"main": name} if group == "main" else {"aux": {name: True}}
        config = OmegaConf.create({**chosen, "tasks": {name: read_task(task_files()[name])}})
        return ConfigResult(self.provider, self.full_path(), config, {"package": "_global_"})

    def is_group(self, config_path: str) -> bool:
        """Return whether the source has a group."""
        return config_path.rstrip("/") in ("", *TASK_GROUPS)

    def is_config(self, config_path: str) -> bool:
        """Return whether the source has a choice of a group."""
        group, name = _group_and_task(config_path)
        return group in TASK_GROUPS and name in task_files()

    def available(self) -> bool:
        """Return whether the source is there."""
        return True

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the groups, or the choices of one."""
        is_root = not config_path.rstrip("/")
        kind = ObjectType.GROUP if is_root else ObjectType.CONFIG
        if results_filter not in (None, kind):
            return []
        return sorted(TASK_GROUPS if is_root else task_files())


def _group_and_task(config_path: str) -> tuple[str, str]:
    group, _, name = config_path.removesuffix(".yaml").partition("/")
    return group, name


class TaskSearchPath(SearchPathPlugin):
    """Lets Hydra look for configurations in the TaskSource, beside `conf/`."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add the source."""
        search_path.append("mtl-bench", f"{TaskSource.scheme()}://")


def register() -> None:
    """Make the groups `main` and `aux` of all tasks, the types, and the resolvers."""
    task_files()  # a folder or name that cannot be used is told now, whatever is chosen
    for plugin in (TaskSource, TaskSearchPath):
        Plugins.instance().register(plugin)
    ConfigStore.instance().store(name="schema", node=RunConfig)
    for resolver in (run_folder, sweep_name, run_dir, job_type, task_tags):
        OmegaConf.register_new_resolver(resolver.__name__, resolver, replace=True)


def is_sweep(override: str) -> bool:
    """Return whether `experiment=<name>` names one that is a sweep."""
    file = conf_folder() / "experiment" / f"{override.partition('=')[2]}.yaml"
    return file.is_file() and OmegaConf.select(OmegaConf.load(file), "hydra.mode") == "MULTIRUN"


def run_folder(*, _root_: DictConfig) -> str:
    """Return a run's folder below its sweep: tasks, overrides that matter, seed."""
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
    return run_folder_of(_root_.main, _root_.aux, _root_.seed, variant_of(_root_))


def variant_of(cfg: DictConfig) -> str:
    """Return what tells runs of the same tasks and seed apart, as a folder name.

    `{main}` in it stands for the main task, where the run depends on which one that is.
    """
    hydra = _hydra(cfg)
    marks = ["main={main}"] if uses_main(cfg.sampler) else []
    experiment = hydra and hydra.runtime.choices.get("experiment")
    if experiment and experiment != cfg.sweep_name:  # else it is the sweep's folder
        marks.append(f"experiment={experiment}")
    overrides = variant_name(list(hydra.overrides.task) if hydra else [], bool(uses_budget(cfg)))
    return ",".join(filter(None, (*marks, overrides)))


def run_folder_of(main: str, aux: Iterable[str], seed: int, variant: str) -> str:
    """Return a run's folder below its sweep's.

    >>> run_folder_of("pos", ["chu"], 3, "optimizer.lr=0.5")
    'chu+pos/optimizer.lr=0.5/seed3'
    """
    tasks = "+".join(sorted({main, *aux}))
    return "/".join(filter(None, (tasks, variant.replace("{main}", main), f"seed{seed}")))


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
    """Return the folder of the running job; empty while a sweep is planned."""
    ready = HydraConfig.initialized()
    folder = (
        OmegaConf.select(DictConfig(HydraConfig.get()), "runtime.output_dir") if ready else None
    )
    return str(folder or "")


def job_type(*, _root_: DictConfig) -> str:
    """Return single, pair, or set."""
    return {1: "single", 2: "pair"}.get(len({_root_.main, *_root_.aux}), "set")


def task_tags(*, _root_: DictConfig) -> list[str]:
    """Return the tasks as tags."""
    return [f"main:{_root_.main}", *(f"aux:{a}" for a in sorted(_root_.aux) if a != _root_.main)]


def compose_run(overrides: Sequence[str]) -> tuple[RunConfig, Path]:
    """Return the configuration and the folder of a run that no Hydra job makes.

    Raises:
        UserError: an override is a mistake.
    """
    register()
    check_overrides(overrides, multirun=False, tasks=list(task_files()))
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_folder().absolute()), version_base="1.3"):
        cfg = compose("train", list(overrides), return_hydra_config=True)
    folder = Path(cfg.hydra.run.dir)
    with open_dict(cfg):
        cfg.hydra.runtime.output_dir = str(folder.absolute())
    HydraConfig.instance().set_config(cfg)  # where loggers find the run's folder
    for key in unknown_keys(cfg):
        raise UserError(f"{key}: there is no such key, and nothing would read it.")
    return checked(cfg), folder


def written(value: Any) -> str:
    """Return a value as an override of the command line has it.

    >>> written(["chu", "pos"]), written(True), written(None), written("my file.txt")
    ('[chu,pos]', 'true', 'null', "'my file.txt'")
    """
    if isinstance(value, list | tuple):
        return f"[{','.join(map(written, value))}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str) and not re.fullmatch(r"[\w./\[\],:*-]+", value):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)
