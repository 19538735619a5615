"""`mtl-bench report`: one page that shows a sweep, or the paper's own runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from mtl_bench.commands.shared.arguments import add_mains, add_study_arguments, study_overrides
from mtl_bench.commands.shared.study_pipeline import study_published, study_sweep
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import PUBLISHED, read_sweep, sweep_folder

HELP = "write a page that shows a sweep: report/index.html"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_study_arguments(parser)
    add_mains(parser)
    parser.add_argument("--out", type=Path, help="folder to write to (default: the sweep's)")


def run(arguments: argparse.Namespace) -> None:
    """Write study and report; without overrides, with those of the study in the folder."""
    overrides = study_overrides(arguments) or None
    folder = arguments.out / "study" if arguments.out else None
    if arguments.sweep == PUBLISHED:
        if folder is None:
            raise UserError("`mtl-bench report published` needs `--out <folder>` to write to.")
        print(f"written: {study_published(folder, overrides).write_page()}")
        return
    sweep = sweep_folder(arguments.sweep)
    for finished in study_sweep(sweep, read_sweep(sweep, arguments.main), overrides, folder):
        print(f"written: {finished.write_page()}")
