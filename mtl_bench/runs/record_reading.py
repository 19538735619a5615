"""Reading records and their curves: what others compute with is checked, and damage is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from mtl_bench.errors import UserError, visible
from mtl_bench.runs.checkpoint_header import read_header
from mtl_bench.runs.curve import MOST_STEPS, CurveRow, read_curve
from mtl_bench.runs.record import (
    RECORD,
    SCHEMA_VERSION,
    TASK_NAME,
    Error,
    Metric,
    Record,
    Status,
    TaskRecord,
)
from mtl_bench.runs.seal import DAMAGE, unsealed
from mtl_bench.runs.train_command import train_command

READABLE = (2, SCHEMA_VERSION)
"""Versions that are read; 2 had no checksums."""

SHOWN = ("tasks", "main", "error", "versions", "git_commit", "host", "run_key")
"""What people see of a record as text."""


def read_record(folder: Path) -> Record | None:
    """Return the record of a run's folder, or None if it has none.

    Raises:
        UserError: the record is damaged or of another schema.
    """
    path = folder / RECORD
    remedy = f"Delete {folder}, and re-run the command that trained it."
    try:
        text = path.read_text("utf-8")
        content = unsealed(text)
        version = content["schema_version"]
        if version not in READABLE:
            raise UserError(
                f"{path}: has schema version {version}; this program reads "
                f"{' and '.join(map(str, READABLE))}. Train the run again with `overwrite=true`:\n"
                f"  {train_command(content, folder)}"
            )
        content["schema_version"] = SCHEMA_VERSION
        if "\\" in text or visible(text) != text:  # few records have such a character, or escapes
            content |= {key: _visible(content[key]) for key in SHOWN if key in content}
        content["tasks"] = {name: _task(**task) for name, task in content["tasks"].items()}
        content["error"] = Error(**content["error"]) if content["error"] else None
        record = Record(**content)
        _check(record)
        return record
    except FileNotFoundError:
        return None
    except DAMAGE as error:
        raise UserError(f"{path}: is damaged ({type(error).__name__}: {error}). {remedy}") from None


def curve_of(record: Record, folder: Path, *, losses: bool = True) -> list[CurveRow]:
    """Return the curve of a run, which is the one that the record was written with.

    Args:
        record: of the run.
        folder: of the run.
        losses: whether to include those of training, nine of ten rows.

    Raises:
        UserError: it is missing, damaged, or another one.
    """
    header = read_header(folder)
    # Killed when its longer curve was written and the record was not: the curve is as good.
    is_longer = header is not None and header.step > record.steps_done
    return read_curve(folder, None if is_longer else record.curve_sha256, losses=losses)


def _task(metrics: Mapping[str, Mapping[str, Any]], **task: Any) -> TaskRecord:
    for numbers in ("final", "statistics"):
        task[numbers] = {name: _number(value) for name, value in task[numbers].items()}
    return TaskRecord(metrics={name: Metric(**one) for name, one in metrics.items()}, **task)


def _number(value: Any) -> Any:
    """Return a number that JSON has as text, such as `nan`; anything else as it is."""
    return float(value) if isinstance(value, str) else value


def _visible(tree: Any) -> Any:
    """Return a tree in which no text steers a terminal."""
    if isinstance(tree, dict):
        return {visible(key): _visible(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_visible(value) for value in tree]
    return visible(tree) if isinstance(tree, str) else tree


def _check(record: Record) -> None:
    """Raise an error if what others compute with is not what it should be."""
    for name in ("config", "identity", "versions", "host", "timings", "inputs"):
        if not isinstance(getattr(record, name), dict):
            raise ValueError(f"{name} is {getattr(record, name)!r}")
    for name, task in record.tasks.items():
        if not TASK_NAME.fullmatch(name):
            raise ValueError(f"a task is called {name!r}")
        if not task.metrics or not all(isinstance(m.title, str) for m in task.metrics.values()):
            raise ValueError(f"the metrics of {name} are {task.metrics!r}")
        for value in (*task.statistics.values(), *task.final.values()):
            float(value or 0)
    if record.status not in get_args(Status):
        raise ValueError(f"status is {record.status!r}")
    for name in ("seed", "steps_done"):
        if type(getattr(record, name)) is not int:
            raise ValueError(f"{name} is {getattr(record, name)!r}")
    if not isinstance(record.budget, float | int) or not 0 <= record.budget < MOST_STEPS:
        raise ValueError(f"budget is {record.budget!r}")
    if record.status == "finished" and not record.tasks:
        raise ValueError("it is finished and has no tasks")
    for name, task in record.tasks.items():
        value = task.final.get(task.primary)
        if record.status == "finished" and not isinstance(value, float | int):
            raise ValueError(f"the final {task.primary} of {name} is {value!r}")
