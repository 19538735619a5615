"""`curve.csv` of a run: losses while it trained, metrics when it was evaluated."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically

CURVE = "curve.csv"
MOST_STEPS = 10**15
"""No run is longer: beyond, numbers of steps are no longer exact."""

COLUMNS = ("step", "own_step", "task", "split")
"""Of every curve; `loss` and the metrics of the run's tasks follow."""


@dataclass(frozen=True)
class CurveRow:
    """One row of a curve.

    Attributes:
        step: of the run, counted from 1.
        own_step: of the task.
        task: name.
        split: `train` (mean loss of the last ten own steps), or the split evaluated.
        values: `loss` (training: mean over sentences; evaluation: mean over targets) and, for an
            evaluation, the metrics of the task's type.
    """

    step: int
    own_step: int
    task: str
    split: str
    values: Mapping[str, float]


def write_curve(folder: Path, curve: Sequence[CurveRow]) -> str:
    """Write the curve of a run; floats so that reading gives exactly the same numbers.

    Returns:
        The sha256 of the file.
    """
    names = list(dict.fromkeys(("loss", *(name for row in curve for name in row.values))))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *names])
    for row in curve:
        values = (row.values.get(name, "") for name in names)
        writer.writerow([row.step, row.own_step, row.task, row.split, *values])
    content = text.getvalue().encode()
    write_atomically(folder / CURVE, content)
    return hashlib.sha256(content).hexdigest()


def read_curve(folder: Path, sha256: str | None = None, *, losses: bool = True) -> list[CurveRow]:
    """Return the curve of a run's folder.

    Args:
        folder: of the run.
        sha256: of the file, where it is known.
        losses: whether to include those of training, nine of ten rows.

    Raises:
        UserError: it is missing or damaged.
    """
    path = folder / CURVE
    remedy = f"Delete {folder}, and re-run the command that trained it."
    try:
        content = path.read_bytes()
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise UserError(f"{path}: is damaged: not the curve of its record. {remedy}")
        lines = csv.reader(io.StringIO(content.decode(), newline=""))
        header = next(lines, [])
        if tuple(header[: len(COLUMNS)]) != COLUMNS or "loss" not in header:
            raise UserError(f"{path}: has not the header of a curve. {remedy}")
        return [_row(header, cells) for cells in lines if losses or "train" not in cells[3:4]]
    except FileNotFoundError:
        raise UserError(f"{path}: is missing. {remedy}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is damaged ({error}). {remedy}") from None
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path}, line {lines.line_num}: is damaged ({error}). {remedy}") from None


def _row(header: Sequence[str], cells: Sequence[str]) -> CurveRow:
    """Return the row of a line's cells."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} cells, expected {len(header)}")
    pairs = zip(header[len(COLUMNS) :], cells[len(COLUMNS) :], strict=True)
    values = {name: float(cell) for name, cell in pairs if cell}
    if "loss" not in values:
        raise ValueError("it has no loss")
    step, own_step = int(cells[0]), int(cells[1])
    if not 0 <= step < MOST_STEPS or not 0 <= own_step < MOST_STEPS:
        raise ValueError(f"its steps are {cells[0][:30]} and {cells[1][:30]}")
    return CurveRow(step, own_step, cells[2], cells[3], values)
