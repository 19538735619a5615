"""`mtl-bench study`: can gains be predicted? The paper's tables, and an evaluation beside it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from mtl_bench.commands.shared.arguments import add_study_arguments, study_overrides
from mtl_bench.commands.shared.study_pipeline import FinishedStudy, study_published, study_sweep
from mtl_bench.commands.shared.study_text import show
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import PUBLISHED, read_sweep, sweep_folder

HELP = "can gains be predicted: task-held-out evaluation, and the paper's tables"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_study_arguments(parser)
    parser.add_argument("--full", action="store_true", help="everything: minutes, resumable")
    parser.add_argument("--out", type=Path, help="folder to write to (default: <sweep>/study)")


def run(arguments: argparse.Namespace) -> None:
    """Write the study's files and print a summary, for each variant of the sweep."""
    overrides = ["study=full"] * arguments.full + study_overrides(arguments)
    if arguments.sweep == PUBLISHED:
        if arguments.out is None:
            raise UserError("`mtl-bench study published` needs `--out <folder>` to write to.")
        studies: Iterable[FinishedStudy] = [study_published(arguments.out, overrides)]
    else:
        folder = sweep_folder(arguments.sweep)
        studies = study_sweep(folder, read_sweep(folder), overrides, arguments.out)
    for finished in studies:
        show(finished)
        print(f"\nwritten: {finished.folder}")
