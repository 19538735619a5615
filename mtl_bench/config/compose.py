"""From `conf/` to the configuration of a run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, InstantiationException
from omegaconf import OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.config import folders
from mtl_bench.config.mistakes.explain import explain
from mtl_bench.config.mistakes.messages import no_such_key
from mtl_bench.config.mistakes.overrides import check_overrides
from mtl_bench.config.schema import RunConfig, checked, unknown_keys
from mtl_bench.config.task_groups import TaskSearchPath, TaskSource
from mtl_bench.config.tasks import conf_folder, task_files
from mtl_bench.errors import UserError
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.trust import make


def make_embeddings(node: Mapping[str, Any]) -> Embeddings:
    """Return where a run's word vectors come from.

    Args:
        node: `embeddings` of a configuration.

    Raises:
        UserError: an option is not what it should be.
    """
    try:
        embeddings: Embeddings = make(node, "embeddings._target_")
    except InstantiationException as error:
        options = " ".join(f"embeddings.{k}={v}" for k, v in node.items() if k[0] != "_")
        raise UserError(f"embeddings: {error.__cause__ or error}\nGiven: {options}") from None
    return embeddings


def register() -> None:
    """Make the groups `main` and `aux` of all tasks, the types, and the resolvers."""
    task_files()  # a folder or name that cannot be used is told now, whatever is chosen
    for plugin in (TaskSource, TaskSearchPath):
        Plugins.instance().register(plugin)
    ConfigStore.instance().store(name="schema", node=RunConfig)
    for resolver in folders.RESOLVERS:
        # Replaced: `mtl_bench.train` registers at each call, and a second registration is an error.
        OmegaConf.register_new_resolver(resolver.__name__, resolver, replace=True)


def is_sweep(override: str) -> bool:
    """Return whether `experiment=<name>` names one that is a sweep."""
    file = conf_folder() / "experiment" / f"{override.partition('=')[2]}.yaml"
    return file.is_file() and OmegaConf.select(OmegaConf.load(file), "hydra.mode") == "MULTIRUN"


def sweeper_of(override: str) -> str | None:
    """Return the sweeper that `experiment=<name>` chooses; None if it chooses none."""
    group, _, name = override.partition("=")
    file = conf_folder() / "experiment" / f"{name}.yaml"
    if group != "experiment" or not file.is_file():
        return None
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    key = "override /hydra/sweeper"
    chosen = [each[key] for each in content.get("defaults", ()) if key in each]
    return str(chosen[0]) if chosen else None


def compose_run(overrides: Sequence[str]) -> tuple[RunConfig, Path]:
    """Return the configuration and the folder of a run that no Hydra job makes.

    Raises:
        UserError: an override is a mistake.
    """
    register()
    check_overrides(overrides, multirun=False, tasks=list(task_files()))
    # Hydra refuses to be initialised twice, and a notebook may have done so before.
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder().absolute()), version_base="1.3"):
            cfg = compose("train", list(overrides), return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explain(error, overrides)) from error
    folder = Path(cfg.hydra.run.dir)
    with open_dict(cfg):
        cfg.hydra.runtime.output_dir = str(folder.absolute())
    HydraConfig.instance().set_config(cfg)  # where loggers find the run's folder
    for key in unknown_keys(cfg):
        raise UserError(no_such_key(key))
    return checked(cfg), folder


def overrides_of(values: Mapping[str, Any]) -> list[str]:
    """Return values by key as the overrides of a command line.

    >>> overrides_of({"main": "pos", "optimizer": {"lr": 0.1}, "data__batch_size": 8})
    ['main=pos', 'optimizer.lr=0.1', 'data.batch_size=8']
    """
    overrides = []
    for key, value in values.items():
        name = key.replace("__", ".")
        if isinstance(value, Mapping):
            overrides += [f"{name}.{each}" for each in overrides_of(value)]
        else:
            overrides.append(f"{name}={written(value)}")
    return overrides


def _escaped(match: re.Match[str]) -> str:
    """Return the end of a text, or a quote, and the backslashes before it, as in a quoted text."""
    return 2 * match[1] + ("\\'" if match[2] else "")


def written(value: Any) -> str:
    """Return a value as an override of the command line has it.

    >>> written(["chu", "pos"]), written(True), written(None), written("my file.txt")
    ('[chu,pos]', 'true', 'null', "'my file.txt'")
    """
    if isinstance(value, list | tuple):
        return f"[{','.join(map(written, value))}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    # What Hydra's grammar reads without quotes; all other characters need them, as those of a path.
    is_path = isinstance(value, os.PathLike)
    text = os.fspath(value) if is_path else value
    if is_path or (isinstance(text, str) and not re.fullmatch(r"[\w./\[\],:*-]+", text, re.ASCII)):
        # Between quotes a backslash is one, but for those before a quote.
        return "'" + re.sub(r"(\\*)('|$)", _escaped, text) + "'"
    return str(value)
