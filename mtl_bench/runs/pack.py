"""Makes a result set (see `result_sets`) of the finished runs of a sweep."""

from __future__ import annotations

import io
import json
import re
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.curve import CURVE, CurveRow
from mtl_bench.runs.record import RECORD, Record
from mtl_bench.runs.record_reading import curve_of
from mtl_bench.runs.result_sets import ABOUT, About
from mtl_bench.runs.sweep_folder import PLAN, RunStatus, SweepRun, write_plan

DIGITS = 8  # of the numbers in curves: those of a float32
PATH = re.compile(r"(/|~|file:/|[A-Za-z]:[\\/]).*[^/\\]")


def pack(
    sweep: Path,
    statuses: Sequence[RunStatus],
    file: Path,
    title: str,
    licence: str,
    commands: Sequence[str] = (),
) -> About:
    """Write the finished runs of a sweep as a result set; return what it is.

    Names of machines and absolute paths are left out. Curves keep eight digits, and lose the
    training losses of runs of several tasks, which nothing reads.

    Args:
        sweep: its folder.
        statuses: its runs.
        file: that is written.
        title: one line that says what they are.
        licence: under which others may use the numbers.
        commands: that train them.

    Raises:
        UserError: no run is finished, or a curve cannot be read.
    """
    runs = [(s.run, s.record) for s in statuses if s.record and s.record.status == "finished"]
    if not runs:
        raise UserError(f"{sweep}: has no finished run.")
    records = [record for _, record in runs]
    content = About(
        title=title,
        licence=licence,
        commands=list(commands),
        tasks=sorted({task for record in records for task in record.tasks}),
        runs=len(runs),
        seeds=sorted({record.seed for record in records}),
        budgets=sorted({record.budget for record in records}),
        steps=sum(record.steps_done for record in records),
        train_seconds=round(sum(float(r.timings.get("train_seconds") or 0) for r in records)),
        versions=_versions(records),
        commits=sorted({record.git_commit or "not known" for record in records}),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = json.dumps(content.plain(), indent=1, ensure_ascii=False)
        (folder / ABOUT).write_text(text + "\n", "utf-8")
        plan = [replace(run, budgets=(record.budget,)) for run, record in runs]
        write_plan(folder, plan)
        for run, record in runs:
            (folder / run.folder).mkdir(parents=True)
            _anonymous(record).write(folder / run.folder, list(_kept(sweep, run, record)))
        names = [ABOUT, PLAN, *(f"{run.folder}/{n}" for run in plan for n in (RECORD, CURVE))]
        write_atomically(file, _archive(folder, names))
    return content


def _versions(records: Sequence[Record]) -> dict[str, str]:
    """Return the versions of each package, several joined by commas."""
    names = dict.fromkeys(name for record in records for name in record.versions)
    return {n: ", ".join(sorted({r.versions.get(n, "none") for r in records})) for n in names}


def _kept(sweep: Path, run: SweepRun, record: Record) -> Iterator[CurveRow]:
    """Yield the rows of a run's curve that a result set keeps."""
    for row in curve_of(record, sweep / run.folder):
        if row.split != "train" or len(run.tasks) == 1:
            values = {name: float(f"{value:.{DIGITS}g}") for name, value in row.values.items()}
            yield replace(row, values=values)


def _anonymous(record: Record) -> Record:
    """Return a record without the name of the machine and without absolute paths."""
    host = {key: value for key, value in record.host.items() if key != "name"}
    return replace(
        record,
        host=host,
        config=_relative(record.config),
        identity=_relative(record.identity),
        inputs=_relative(record.inputs),
        error=None,
    )


def _relative(tree: Any) -> Any:
    """Return plain values in which a path from a root, or from home, is its last part."""
    if isinstance(tree, dict):
        return {key: _relative(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_relative(value) for value in tree]
    is_path = isinstance(tree, str) and PATH.match(tree)
    return PurePosixPath(tree.replace("\\", "/")).name if is_path else tree


def _archive(folder: Path, names: Sequence[str]) -> bytes:
    """Return files of a folder as an archive: the same bytes for the same content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz", preset=9) as archive:
        for name in names:
            content = (folder / name).read_bytes()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()
