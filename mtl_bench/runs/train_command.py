"""The command that trains a run again, for messages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
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
    overrides = _overrides(folder, tasks)
    experiment = content.get("experiment")
    if experiment is None and config.get("sweep_name") != "default":
        overrides = overrides or ["..."]  # an earlier version did not note it
    elif experiment and f"experiment={experiment}" not in overrides:
        overrides = [f"experiment={experiment}", *overrides]
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
    sweep = folder.parent if folder.parent.name == tasks else folder.parent.parent
    below = Path(sweep_name) / tasks
    if sweep.parts[-len(below.parts) :] != below.parts:
        return []
    place = Path(*sweep.parts[: -len(below.parts)])
    return [] if place == Path("multirun_outputs") else [shlex.quote(f"paths.output_dir={place}")]
