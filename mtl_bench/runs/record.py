"""`record.json` of a run: what it was, how it went, its final metrics.

Standard library only, so that any tool can read
records.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, Union

from mtl_bench.files import write_atomically
from mtl_bench.runs.curve import CurveRow, write_curve
from mtl_bench.runs.seal import sealed

SCHEMA_VERSION = 3
"""Raised when the fields of a record change."""

PROTOCOL_VERSION = 2
"""Raised when the code changes the results of a run with the same configuration."""

TASK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
"""A task's name: it stands in folders, addresses and command lines."""

RECORD = "record.json"
TAGGER = "tagger"
"""Folder of the weights that a run kept, and of all that is needed to use them."""

LOG = "log.txt"
"""What a run of a sweep printed."""

WANDB_ID = "wandb_id.txt"
"""While a run is not finished: by what name W&B knows it."""

KILLED = "Killed"
"""The type of the error of a run whose process was killed."""

Status = Literal["finished", "failed", "interrupted"]

Plain: TypeAlias = Union[bool, int, float, str, "list[Plain]", "dict[str, Plain]", None]
"""What JSON holds."""


@dataclass(frozen=True)
class Metric:
    """A metric of a task, as its type declared it when the run was trained.

    Attributes:
        title: what people call it.
        higher_is_better: if not, a gain is a decrease.
        is_share: whether it is from 0 to 1, and shown in percent.
    """

    title: str
    higher_is_better: bool = True
    is_share: bool = True


@dataclass
class TaskRecord:
    """One task of a run.

    Attributes:
        title: one line for tables.
        type: name of the task type, such as `tagging`.
        options: of the type, from the task's yaml (`outside`, `spans`).
        fingerprint: sha256 of its sentences, targets and split borders.
        statistics: Table 1 of the paper; None where the type or corpus has no such number.
        sentences: by split.
        metrics: by name; the first is the primary one, of which gains are.
        final_split: where the final metrics come from.
        final: `loss` (mean over targets) and the metrics, at the record's budget.
        kept_step: of the run, after which the weights were those that `final` is of: the last one,
            or with `keep=best` that of the best evaluation.
    """

    title: str
    type: str
    options: dict[str, Plain]
    fingerprint: str
    statistics: dict[str, float | None]
    sentences: dict[str, int]
    metrics: dict[str, Metric]
    final_split: str
    final: dict[str, float] = field(default_factory=dict)
    kept_step: int | None = None

    @property
    def primary(self) -> str:
        """The name of the primary metric."""
        return next(iter(self.metrics))


@dataclass
class Error:
    """Why a run failed: the exception's type, what it says, where it was raised."""

    type: str
    message: str
    traceback: str = ""


@dataclass
class Record:
    """A run.

    Attributes:
        status: `finished`, `failed` or `interrupted` (by Ctrl-C or SIGTERM).
        main: the main task.
        tasks: by name.
        seed: of start values and draws.
        config: the configuration, resolved, as plain values.
        experiment: that was chosen for it; empty without one, None: an earlier version noted none.
        run_key: sha256 of `identity`.
        identity: what determines results: that part of the configuration, and the sha256 of every
            file read. Neither how long the run is trained nor which task is main (unless the
            sampler uses it) is part of it.
        budget: steps per task at which the final metrics were taken, or are to be.
        steps_done: optimiser steps, all tasks together.
        versions: of Python and the packages that compute, and `kernels`: compiled or plain.
        git_commit: of the code, with `+changes` if files differed; None outside a checkout.
        threads: of torch.
        host: name, machine, system.
        timings: `started`, `ended` (UTC), `wall_seconds` (of the process that ended it),
            `train_seconds` (earlier parts of a resumed or extended run included).
        inputs: facts about what the encoder reads, such as `rows` of the table of word vectors.
        weights_sha256: of the weights that the tasks kept.
        curve_sha256: of `curve.csv`; None of runs that versions before 0.2 trained.
        error: why it failed; of a finished run, why extending it failed.
        schema_version: of these fields; a reader refuses others.
        protocol_version: raised when the code changes the results of a run of the same
            configuration.
    """

    status: Status
    main: str
    tasks: dict[str, TaskRecord]
    seed: int
    config: dict[str, Plain]
    run_key: str
    identity: dict[str, Plain]
    budget: float
    steps_done: int
    versions: dict[str, str]
    git_commit: str | None
    threads: int
    host: dict[str, str]
    timings: dict[str, float | str]
    inputs: dict[str, int | str]
    experiment: str | None = None
    weights_sha256: str | None = None
    curve_sha256: str | None = None
    error: Error | None = None
    schema_version: int = SCHEMA_VERSION
    protocol_version: int = PROTOCOL_VERSION

    def setting(self, key: str) -> Plain:
        """Return the value of a dotted key of the configuration, such as `data.drop_last`."""
        value: Any = self.config
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        plain: Plain = value  # JSON's values are
        return plain

    def main_first(self) -> list[tuple[str, TaskRecord]]:
        """Return the tasks with their names, the main task first."""
        return sorted(self.tasks.items(), key=lambda item: (item[0] != self.main, item[0]))

    def write(self, folder: Path, curve: Sequence[CurveRow] | None = None) -> None:
        """Write the record, after the curve: where the record stands, the curve is complete.

        Args:
            folder: of the run.
            curve: None leaves the file that is there.
        """
        if curve is not None:
            self.curve_sha256 = write_curve(folder, curve)
        write_atomically(folder / RECORD, sealed(_without_nan(asdict(self))))


def _without_nan(tree: Any) -> Any:
    """Return a tree with nan and infinities, which JSON lacks, as text."""
    if isinstance(tree, dict):
        return {key: _without_nan(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_without_nan(value) for value in tree]
    return str(tree) if isinstance(tree, float) and not math.isfinite(tree) else tree
