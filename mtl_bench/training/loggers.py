"""The loggers of a run; those of W&B so that a run that is resumed stays one run there."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger, WandbLogger

from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.record import WANDB_ID
from mtl_bench.trust import make

OFFLINE = {"offline": True, "dryrun": True, "online": False, "run": False}
"""What WANDB_MODE may say beside `disabled`."""


def make_loggers(
    nodes: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any], folder: Path, fresh: bool
) -> list[Logger]:
    """Return the loggers of a run, which know its configuration.

    Args:
        nodes: of `conf/logger`, by name.
        config: of the run, as plain values.
        folder: of the run.
        fresh: whether the run is not resumed, and a new one for W&B.

    Raises:
        UserError: W&B has no key, or is told two things.
    """
    loggers: list[Logger] = []
    for name, node in nodes.items():
        if not str(node.get("_target_")).endswith(".WandbLogger"):
            loggers.append(make(node, f"logger.{name}._target_"))
        elif os.environ.get("WANDB_MODE") == "disabled":
            print(f"note: WANDB_MODE is disabled, so `logger.{name}` logs nothing", file=sys.stderr)
        else:
            loggers.append(_wandb(name, node, _run_id(folder, fresh)))
    for logger in loggers:
        logger.log_hyperparams(dict(config))
    return loggers


def _wandb(name: str, node: Mapping[str, Any], run_id: str) -> WandbLogger:
    """Return a logger of W&B whose run has begun."""
    import wandb

    os.environ.setdefault("WANDB_SILENT", "true")  # thirty lines, and the result out of sight
    mode = os.environ.get("WANDB_MODE")
    if mode and mode not in OFFLINE:
        raise UserError(f"WANDB_MODE is '{mode}'; it is one of {', '.join(OFFLINE)}, disabled.")
    option, by_mode = node.get("offline"), OFFLINE.get(mode or "")
    if None not in (option, by_mode) and option != by_mode:
        raise UserError(
            f"logger.{name}.offline is {str(option).lower()}, but WANDB_MODE is '{mode}'. Unset "
            "one of the two."
        )
    offline = next((each for each in (option, by_mode) if each is not None), True)
    logger: WandbLogger = make(node, f"logger.{name}._target_", offline=offline, id=run_id)
    try:
        # W&B connects here: a missing key gets an answer, not a traceback from inside `fit`.
        _ = logger.experiment
    except wandb.errors.Error as error:
        raise UserError(
            f"logger.{name}: {error}\nType `wandb login`, or set WANDB_API_KEY; or stay offline "
            f"(`logger.{name}.offline=true`) and send the run later with `wandb sync`."
        ) from None
    finally:  # Lightning sets it for the whole process
        with suppress(KeyError):
            del os.environ["WANDB_MODE"]
        if mode is not None:
            os.environ["WANDB_MODE"] = mode
    return logger


def _run_id(folder: Path, fresh: bool) -> str:
    """Return the name of a run in W&B: kept in its folder while it is not finished."""
    file = folder / WANDB_ID
    if file.exists() and not fresh:
        return file.read_text("utf-8").strip()
    run_id = secrets.token_hex(4)
    write_atomically(file, run_id)
    return run_id


def close(logger: Logger) -> None:
    """End a logger's run, so that the next one of this process is a run of its own."""
    is_failure = sys.exc_info()[0] is not None
    logger.finalize("failed" if is_failure else "success")
    if isinstance(logger, WandbLogger):
        run = logger.experiment
        advice = "" if run.url else "; `wandb sync` sends it"
        place = run.url or Path(run.dir).parent
        run.finish(exit_code=int(is_failure))
        print(f"W&B: {place}{advice}", file=sys.stderr)
