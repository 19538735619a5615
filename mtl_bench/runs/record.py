"""What a run leaves behind: `record.json` and `curve.csv` in its folder.

The fields are described in docs/records.md. Standard library only, so that any tool can read
records.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically

SCHEMA_VERSION = 1
"""Raised when the fields of a record change."""

PROTOCOL_VERSION = 2
"""Raised when the code changes the results of a run with the same configuration."""

RECORD, CURVE, CHECKPOINT = "record.json", "curve.csv", "checkpoint.pt"
WANDB_ID = "wandb_id.txt"
"""While a run is not finished: by what name W&B knows it."""

Status = Literal["finished", "failed", "interrupted"]


@dataclass(frozen=True)
class CurveRow:
    """One row of a curve; empty cells are None.

    Attributes:
        step: of the run, counted from 1.
        own_step: of the task.
        task: name.
        split: `train` (mean loss of the last ten own steps), or the split evaluated.
        loss: in nats; training: mean over sentences, evaluation: mean over words.
        f1: micro-F1 without the outside label, 0 to 1.
        precision: its precision.
        recall: its recall.
        accuracy: share of words that are right.
        span_f1: F1 of whole spans.
    """

    step: int
    own_step: int
    task: str
    split: str
    loss: float
    f1: float | None = None
    precision: float | None = None
    recall: float | None = None
    accuracy: float | None = None
    span_f1: float | None = None

    METRICS: ClassVar[tuple[str, ...]] = (
        "loss", "f1", "precision", "recall", "accuracy", "span_f1",
    )  # fmt: skip

    def cells(self) -> list[str]:
        """Return the row as text; floats so that reading gives the same bits."""
        values = (getattr(self, f.name) for f in fields(self))
        return ["" if value is None else str(value) for value in values]

    @classmethod
    def from_cells(cls, cells: Sequence[str]) -> CurveRow:
        """Return the row of `cells`."""
        if len(cells) != len(fields(cls)):
            raise ValueError(f"{len(cells)} cells, expected {len(fields(cls))}")
        numbers = [float(cell) if cell else None for cell in cells[4:]]
        return cls(int(cells[0]), int(cells[1]), cells[2], cells[3], *numbers)  # type: ignore[arg-type]  # loss is never empty


@dataclass
class TaskRecord:
    """One task of a run: see docs/records.md."""

    title: str
    fingerprint: str
    statistics: dict[str, float | None]
    sentences: dict[str, int]
    outside: str | None
    spans: str | None
    final_split: str
    final: dict[str, float] = field(default_factory=dict)


@dataclass
class Record:
    """A run: see docs/records.md."""

    status: Status
    tasks: dict[str, TaskRecord]
    seed: int
    config: dict[str, Any]
    config_hash: str
    identity: dict[str, Any]
    steps_planned: int
    steps_done: int
    versions: dict[str, str]
    git_commit: str | None
    threads: int
    host: dict[str, str]
    timings: dict[str, float | str]
    vectors: dict[str, int | str]
    weights_sha256: str | None = None
    error: dict[str, str] | None = None
    schema_version: int = SCHEMA_VERSION
    protocol_version: int = PROTOCOL_VERSION

    def main_first(self) -> list[tuple[str, TaskRecord]]:
        """Return the tasks with their names, the main task first."""
        main = self.config.get("main")
        return sorted(self.tasks.items(), key=lambda item: (item[0] != main, item[0]))

    def write(self, folder: Path, curve: Sequence[CurveRow]) -> None:
        """Write both files, the record last: where it stands, the curve is complete."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([f.name for f in fields(CurveRow)])
        writer.writerows(row.cells() for row in curve)
        write_atomically(folder / CURVE, lambda stream: stream.write(text.getvalue().encode()))
        plain = _without_nan(asdict(self))
        content = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(folder / RECORD, lambda stream: stream.write(content.encode()))


def _without_nan(tree: Any) -> Any:
    """Return a tree with nan and infinities, which JSON lacks, as text."""
    if isinstance(tree, dict):
        return {key: _without_nan(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_without_nan(value) for value in tree]
    return str(tree) if isinstance(tree, float) and not math.isfinite(tree) else tree


def read_record(folder: Path) -> Record | None:
    """Return the record of a run's folder, or None if it has none.

    Raises:
        UserError: the record is damaged or of another schema.
    """
    path = folder / RECORD
    remedy = "Delete the folder, or train the run again with `overwrite=true`."
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content["schema_version"]
        if version != SCHEMA_VERSION:
            raise UserError(
                f"{path}: has schema version {version}; this program reads {SCHEMA_VERSION}.\n"
                f"Read it with the program that wrote it. {remedy}"
            )
        content["tasks"] = {name: TaskRecord(**task) for name, task in content["tasks"].items()}
        record = Record(**content)
        _check(record)
        return record
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: is damaged ({type(error).__name__}: {error}). {remedy}") from None


def _check(record: Record) -> None:
    """Raise an error if what others compute with is not what it should be."""
    if record.status not in get_args(Status):
        raise ValueError(f"status is {record.status!r}")
    for name in ("seed", "steps_planned", "steps_done"):
        if type(getattr(record, name)) is not int:
            raise ValueError(f"{name} is {getattr(record, name)!r}")
    if record.status == "finished" and not record.tasks:
        raise ValueError("it is finished and has no tasks")
    for name, task in record.tasks.items():
        f1 = task.final.get("f1")
        if record.status == "finished" and not isinstance(f1, float | int):
            raise ValueError(f"the final F1 of {name} is {f1!r}")


def read_curve(folder: Path) -> list[CurveRow]:
    """Return the curve of a run's folder.

    Raises:
        UserError: it is missing or damaged.
    """
    path = folder / CURVE
    remedy = "Train the run again with `overwrite=true`."
    curve: list[CurveRow] = []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream)
            if next(rows, None) != [f.name for f in fields(CurveRow)]:
                raise UserError(f"{path}: has not the header of a curve. {remedy}")
            for cells in rows:
                curve.append(CurveRow.from_cells(cells))  # noqa: PERF401 (the error counts them)
    except FileNotFoundError:
        raise UserError(f"{path}: is missing. {remedy}") from None
    except ValueError as error:
        raise UserError(f"{path}, line {len(curve) + 2}: is damaged ({error}). {remedy}") from None
    return curve


def differences(folder: Path, there: Record, identity: Mapping[str, Any]) -> str:
    """Return what to say of a folder that holds a run of another configuration."""
    old, new = _flat(there.identity), _flat(identity)
    differing = [
        f"  {key}: {old.get(key, '(not there)')} there, {new.get(key, '(not there)')} now"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    return (
        f"{folder} holds a run of another configuration:\n" + "\n".join(differing) + "\n"
        "Type `overwrite=true` to replace it, or choose another `sweep_name`."
    )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            leaves |= _flat(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves


def remove_unbegun(folder: Path, root: Path) -> None:
    """Remove the files of a run that took no step, and folders below `root` that are empty then."""
    record = read_record(folder)
    if record is not None and (record.status != "failed" or record.steps_done):
        return
    for name in (RECORD, CURVE, WANDB_ID):
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # not empty
        for place in (folder, *folder.parents):
            if place.absolute() == root.absolute():
                break
            place.rmdir()
