"""Must a run be trained? One pure function of what is asked and what the run's folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mtl_bench.errors import UserError
from mtl_bench.runs.checkpoint_header import CHECKPOINT, CheckpointHeader, read_header
from mtl_bench.runs.record import TAGGER, Record
from mtl_bench.runs.record_reading import read_record

Action = Literal["skip", "resume", "extend", "train", "refuse"]
Obstacle = Literal["damaged record", "other run", "damaged checkpoint", "other checkpoint"]


@dataclass(frozen=True)
class Request:
    """What is asked of a run.

    Attributes:
        run_key: what the run is (see `config.run_key`).
        steps: optimiser steps that it is to have, all tasks together.
        overwrite: whether to train again, whatever is there.
        save_weights: whether its weights are wanted.
    """

    run_key: str
    steps: int
    overwrite: bool = False
    save_weights: bool = False


@dataclass(frozen=True)
class RunFiles:
    """What a run's folder holds.

    Attributes:
        record: if it can be read.
        problem: why it cannot.
        checkpoint: of which run the checkpoint is, if there is one.
        weights: whether the weights are there.
    """

    record: Record | None = None
    problem: str | None = None
    checkpoint: CheckpointHeader | None = None
    weights: bool = False


@dataclass(frozen=True)
class Decision:
    """What to do.

    Attributes:
        action: skip (it is there), resume (an interrupted run), extend (a finished run that was
            trained for less, or whose weights are wanted and were not saved), train (from the
            start) or refuse.
        start: steps that the checkpoint spares.
        steps: to train to; more than asked if an interrupted run is beyond that already.
        obstacle: why it is refused.
    """

    action: Action
    start: int = 0
    steps: int = 0
    obstacle: Obstacle | None = None


def decide(request: Request, files: RunFiles) -> Decision:
    """Return what to do with a run. Nothing is read or written here."""
    record, checkpoint = files.record, files.checkpoint
    if request.overwrite:
        return Decision("train", steps=request.steps)
    if files.problem:
        return Decision("refuse", obstacle="damaged record")
    # A failed run of another configuration left nothing that anyone would miss.
    if record and record.status != "failed" and record.run_key != request.run_key:
        return Decision("refuse", obstacle="other run")
    finished_steps = record.steps_done if record and record.status == "finished" else None
    complete = files.weights or not request.save_weights
    if finished_steps is not None and finished_steps >= request.steps and complete:
        return Decision("skip", finished_steps, finished_steps)
    # Only now: a run that is long enough needs no checkpoint, whatever it is of.
    if checkpoint and checkpoint.run_key != request.run_key:
        obstacle: Obstacle = "other checkpoint" if checkpoint.run_key else "damaged checkpoint"
        return Decision("refuse", obstacle=obstacle)
    start = checkpoint.step if checkpoint else 0
    if finished_steps is not None:
        return Decision("extend", start, max(request.steps, start, finished_steps))
    if checkpoint:
        return Decision("resume", start, max(request.steps, start))
    return Decision("train", steps=request.steps)


def read_files(folder: Path) -> RunFiles:
    """Return what a run's folder holds."""
    record, problem = None, None
    try:
        record = read_record(folder)
    except UserError as error:
        problem = str(error)
    return RunFiles(record, problem, read_header(folder), (folder / TAGGER).exists())


def refusal(
    decision: Decision, folder: Path, files: RunFiles, identity: Mapping[str, Any]
) -> UserError:
    """Return the error of a run that is refused: what is in the way, and what to type.

    Args:
        decision: with an obstacle.
        folder: of the run.
        files: what it holds.
        identity: of the run that is asked for.
    """
    again = "Type `overwrite=true` to train from the start, or choose another `sweep_name`."
    path = folder / CHECKPOINT
    texts: dict[Obstacle | None, str] = {
        "damaged record": files.problem or "",
        "damaged checkpoint": f"{path}: the checkpoint cannot be read.\n{again}",
        "other checkpoint": (
            f"{path}: the checkpoint is of a run with another configuration.\n{again}"
        ),
    }
    if decision.obstacle == "other run" and files.record:
        return UserError(differences(folder, files.record, identity))
    return UserError(texts[decision.obstacle])


def differences(folder: Path, record: Record, identity: Mapping[str, Any]) -> str:
    """Return what to say of a folder that holds a run of another configuration."""
    old, new = _leaves(record.identity), _leaves(identity)
    differing = [
        f"  {key}: {old.get(key, '(not there)')} there, {new.get(key, '(not there)')} now"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    return (
        f"{folder} holds a run of another configuration:\n" + "\n".join(differing) + "\n"
        "Type `overwrite=true` to replace it, or choose another `sweep_name`."
    )


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of a nested mapping by dotted key."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            leaves |= _leaves(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves
