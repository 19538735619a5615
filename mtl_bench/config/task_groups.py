"""Hydra's groups `main` and `aux`: as if each had a yaml for every task."""

from __future__ import annotations

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

from mtl_bench.config.mistakes.overrides import TASK_GROUPS
from mtl_bench.config.tasks import is_task, named_task, task_files


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
        # A map rather than a list: of several choices Hydra merges maps, but keeps the last list.
        choice = {"main": name} if group == "main" else {"aux": {name: True}}
        config = OmegaConf.create({**choice, "tasks": {name: named_task(name)}})
        # Global, since a choice also adds to `tasks`, which is outside of its group.
        return ConfigResult(self.provider, self.full_path(), config, {"package": "_global_"})

    def is_group(self, config_path: str) -> bool:
        """Return whether the source has a group."""
        return config_path.rstrip("/") in ("", *TASK_GROUPS)

    def is_config(self, config_path: str) -> bool:
        """Return whether the source has a choice of a group."""
        group, name = _group_and_task(config_path)
        return group in TASK_GROUPS and is_task(name)

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
