"""The command that trains a run again, for messages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def train_command(content: Mapping[str, Any], folder: Path, option: str = "overwrite=true") -> str:
    """Return what trains a run again.

    Args:
        content: of its record, of any schema.
        folder: of the run.
        option: that is added.
    """
    config = content.get("config") or {}
    aux = ",".join(name for name in config.get("aux", ()) if name != config.get("main"))
    tasks = "+".join(content.get("tasks", ()))
    named = _overrides(folder, tasks)
    overrides = dict.fromkeys((*_experiment(content.get("experiment"), config, named), *named))
    # A record may be a stranger's, and the command is for pasting into a shell.
    parts = [
        "python train.py",
        *map(shlex.quote, (f"main={config.get('main')}", f"aux=[{aux}]")),
        *(shlex.quote(f"{k}={config.get(k)}") for k in ("seed", "steps_per_task", "sweep_name")),
        *_output_dir(folder, str(config.get("sweep_name")), tasks),
        *(shlex.quote(each) if each != "..." else each for each in overrides),
        option,
    ]
    return " ".join(parts)


def _experiment(name: str | None, config: Mapping[str, Any], named: Sequence[str]) -> list[str]:
    """Return the choice of the experiment; three dots if the record does not tell of it."""
    if any(each.startswith("experiment=") for each in named):
        return []
    if name is None and config.get("sweep_name") != "default":
        return ["..."]
    return [f"experiment={name}"] if name else []


def _overrides(folder: Path, tasks: str) -> list[str]:
    """Return the overrides that a run's folder is named by; three dots if it cannot hold them."""
    name = folder.parent.name
    if name == tasks:
        return []
    parts = re.split(r",(?![^\[]*\])", name)  # not at the commas of a list
    is_exact = all("=" in part for part in parts) and not re.search("-[0-9a-f]{8}$", name)
    if folder.parent.parent.name != tasks or not is_exact:
        return ["..."]
    return [part for part in parts if not part.startswith("main=")]


def _output_dir(folder: Path, sweep_name: str, tasks: str) -> list[str]:
    """Return the override of `paths.output_dir` where a run is not below its default."""
    of_tasks = folder.parent if folder.parent.name == tasks else folder.parent.parent
    below = Path(sweep_name) / tasks
    if of_tasks.parts[-len(below.parts) :] != below.parts:
        return []
    place = Path(*of_tasks.parts[: -len(below.parts)])
    if place.absolute() == Path("multirun_outputs").absolute():
        return []
    # Other signs would take quotes for Hydra within those for the shell.
    is_plain = re.fullmatch(r"[\w./-]+", str(place))
    return [f"paths.output_dir={place if is_plain else '...'}"]
