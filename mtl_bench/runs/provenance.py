"""Where a run comes from: code, versions, host, time."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mtl_bench.runs.record import Record

PACKAGES = ("mtl-bench", "torch", "pytorch-lightning", "hydra-core", "numpy", "torchmetrics")


def new_record(config: dict[str, Any], budget: float, experiment: str | None) -> Record:
    """Return the record of a run that has not begun; it counts as failed until it is finished.

    Args:
        config: of the run, resolved, as plain values.
        budget: steps per task that it is to be trained.
        experiment: that was chosen; empty without one, None: not known.
    """
    return Record(
        status="failed",
        main=config["main"],
        tasks={},
        seed=config["seed"],
        config=config,
        run_key="",
        identity={},
        budget=budget,
        steps_done=0,
        versions={"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        git_commit=_git_commit(),
        threads=config["trainer"]["threads"],
        host={"name": platform.node(), "machine": platform.machine(), "system": platform.system()},
        timings={"started": now()},
        inputs={},
        experiment=experiment,
    )


def now() -> str:
    """Return the time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git_commit() -> str | None:
    """Return the commit of the code, with `+changes` if files differ; None outside a checkout.

    An environment with the package may lie in a checkout of something else.
    """
    git = ["git", "-C", str(Path(__file__).parent)]
    # Else `git status` refreshes the index under a lock, which runs side by side contend for.
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        _, commit, status = (
            subprocess.run(
                [*git, *command], capture_output=True, text=True, check=True, env=environment
            ).stdout.strip()
            for command in (
                ["ls-files", "--error-unmatch", "--", Path(__file__).name],
                ["rev-parse", "HEAD"],
                ["status", "--porcelain", "-uno", "--", "."],
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+changes" if status else "")
