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
    # A record may be a stranger's, and the command is for pasting into a shell.
    parts = [
        "python train.py",
        *map(shlex.quote, (f"main={config.get('main')}", f"aux=[{aux}]")),
        *(shlex.quote(f"{k}={config.get(k)}") for k in ("seed", "steps_per_task", "sweep_name")),
        *_overrides(folder, "+".join(content.get("tasks", ()))),
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
    return [shlex.quote(part) for part in parts if not part.startswith("main=")]
