"""Fills in the facts of a record, and writes it whatever happens."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import Tensor

from mtl_bench.errors import UserError
from mtl_bench.runs.record import Record
from mtl_bench.training.curves import Curves
from mtl_bench.training.resume import Interrupted

PACKAGES = ("mtl-bench", "torch", "pytorch-lightning", "hydra-core", "numpy", "torchmetrics")


def new_record(config: dict[str, Any], seed: int, threads: int) -> Record:
    """Return the record of a run that has not begun; it counts as failed until it is finished."""
    return Record(
        status="failed",
        tasks={},
        seed=seed,
        config=config,
        config_hash="",
        identity={},
        steps_planned=0,
        steps_done=0,
        versions={"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        git_commit=_git_commit(),
        threads=threads,
        host={"name": platform.node(), "machine": platform.machine(), "system": platform.system()},
        timings={"started": _now()},
        vectors={},
    )


@contextmanager
def recorded(
    record: Record, curves: Curves, folder: Path, *, failures_only: bool = False
) -> Iterator[None]:
    """Write the record when the block ends: at its end, at an error, at an interruption.

    Args:
        record: to be filled in by the block.
        curves: of the run.
        folder: of the run.
        failures_only: write nothing if the block succeeds.
    """
    begin = time.monotonic()
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, Interrupted)
        record.status = "interrupted" if interrupted else "failed"
        record.error = {
            "type": type(error).__name__,
            "message": str(error),
            "traceback": traceback.format_exc(),
        }
        raise
    finally:
        record.steps_done = curves.step
        record.timings["wall_seconds"] = time.monotonic() - begin
        record.timings["ended"] = _now()
        if record.error or not failures_only:
            record.write(folder, curves.rows)


def refuse_other(there: Record, record: Record, folder: Path) -> None:
    """Raise an error if a folder's record is of another configuration."""
    if there.config_hash == record.config_hash:
        return
    old, new = _flat(there.identity), _flat(record.identity)
    differing = [
        f"  {key}: {old.get(key, '(not there)')} there, {new.get(key, '(not there)')} now"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    raise UserError(
        f"{folder} holds a run of another configuration:\n" + "\n".join(differing) + "\n"
        "Type `overwrite=true` to replace it, or choose another `sweep_name`."
    )


def weights_sha256(weights: Mapping[str, Tensor]) -> str:
    """Return the sha256 over names and bytes of all weights."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            leaves |= _flat(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git_commit() -> str | None:
    """Return the commit of the code, with `+changes` if files differ; None outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        commit, status = (
            subprocess.run(
                [*git, *command], capture_output=True, text=True, check=True, env=environment
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno", "--", "."])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+changes" if status else "")
