"""The files of a run's folder, and removing them."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from mtl_bench.runs.checkpoint_header import CHECKPOINT
from mtl_bench.runs.curve import CURVE
from mtl_bench.runs.lock import LOCK, RunningElsewhere, lock
from mtl_bench.runs.record import RECORD, TAGGER, WANDB_ID
from mtl_bench.runs.record_reading import read_record


def remove_run_files(folder: Path) -> None:
    """Remove what an earlier run left in a folder, but for what it printed and its W&B name."""
    for name in (RECORD, CURVE, CHECKPOINT):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / TAGGER, ignore_errors=True)


def remove_unbegun(folder: Path, root: Path) -> None:
    """Remove the files of a run that took no step, and folders below `root` that are empty then.

    A run that another process works on stays: it has no record before its end.
    """
    if not folder.is_dir():
        return
    try:
        with lock(folder):
            record = read_record(folder)
            if record is not None and (record.status != "failed" or record.steps_done):
                return
            for name in (RECORD, CURVE, WANDB_ID, LOCK):
                (folder / name).unlink(missing_ok=True)
    except RunningElsewhere:
        return
    with suppress(OSError):  # not empty
        for place in (folder, *folder.parents):
            if place.absolute() == root.absolute():
                break
            place.rmdir()
