"""The trained tagger of a run's folder, for commands and the Python API."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtl_bench.commands.shared.arguments import at_least_1
from mtl_bench.errors import UserError
from mtl_bench.runs.record import RECORD, TAGGER, Record
from mtl_bench.runs.record_reading import read_record
from mtl_bench.runs.train_command import train_command

if TYPE_CHECKING:
    from mtl_bench.models.trained import Conditions, TrainedTagger

SHOWN = 20
"""Folders that an error lists."""


def add_tagger(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a tagger and, where it has such, classes of the user's own."""
    parser.add_argument("folder", type=Path, help="of the run, or its tagger/")
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        default=[],
        metavar="MODULE.CLASS",
        help="a class of your own that the tagger names, such as a task type; may be repeated",
    )
    parser.add_argument(
        "--threads", type=at_least_1, help="of torch (default: as many as the run had)"
    )


def tagger_of(arguments: argparse.Namespace) -> TrainedTagger:
    """Return the tagger that the arguments of `add_tagger` name."""
    from mtl_bench.models.weights import class_named  # torch

    classes = []
    for name in arguments.classes:
        named = class_named(name)
        if not isinstance(named, type):
            raise UserError(
                f"--class {name}: cannot be imported as a class. Is its folder in PYTHONPATH?"
            )
        classes.append(named)
    return open_tagger(arguments.folder, classes, arguments.threads)


def open_tagger(
    folder: Path, classes: Sequence[type] = (), threads: int | None = None
) -> TrainedTagger:
    """Return the tagger of a run.

    Args:
        folder: of the run, or the tagger's own.
        classes: of your own that it may name.
        threads: of torch; as many as the run had by default.

    Raises:
        UserError: there is none, or it cannot be loaded.
    """
    from mtl_bench.models.trained import TrainedTagger  # torch: seconds
    from mtl_bench.models.weights import DESCRIPTION

    own = (folder / DESCRIPTION).is_file()
    tagger = folder if own else folder / TAGGER
    if not tagger.is_dir():
        raise _no_tagger(folder)
    # A copy of the folder alone has no record: an evaluation then leaves nothing out.
    run = folder.absolute().parent if own else folder
    record = read_record(run) if not own or folder.absolute().name == TAGGER else None
    return TrainedTagger.load(tagger, classes, _conditions(record, threads))


def _conditions(record: Record | None, threads: int | None) -> Conditions:
    """Return the conditions under which a run evaluated."""
    from mtl_bench.models.trained import Conditions

    if record is None:
        return Conditions(threads=threads or 1)
    is_cut, drops = record.setting("data.truncate_eval"), record.setting("data.drop_last")
    max_length: Any = {task: record.setting(f"tasks.{task}.max_length") for task in record.tasks}
    whole: Any = record.setting("data.batch_size")
    return Conditions(
        max_length if is_cut else {},
        whole if drops else None,
        threads or record.threads,
        record.versions.get("kernels") == "compiled",
    )


def _no_tagger(folder: Path) -> UserError:
    """Return the error for a folder without a tagger: how to make one, or where there are some."""
    record = read_record(folder)
    if record:
        content = {
            "config": record.config,
            "tasks": record.tasks,
            "experiment": record.experiment,
        }
        return UserError(
            f"{folder}: the run ({record.status}) kept no tagger. This command trains it again, or "
            "finishes it, and keeps one:\n  " + train_command(content, folder, "save_weights=true")
        )
    what = f"has neither {RECORD} nor {TAGGER}/" if folder.is_dir() else "is no folder"
    below = sorted(folder.rglob(TAGGER))[:SHOWN] if folder.is_dir() else []
    listing = "".join(f"\n  {place.parent}" for place in below)
    return UserError(
        f"{folder}: {what}; name the folder of a run."
        + (f"\nRuns with a tagger below it:{listing}" if below else "")
    )
