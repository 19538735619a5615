"""`mtl-bench fetch`: download and check the public corpora."""

from __future__ import annotations

import argparse
import sys

from mtl_bench.commands.shared.definitions import definitions
from mtl_bench.errors import UserError
from mtl_bench.tasks.definition import data_folder

HELP = "fetch and check the public corpora of tasks"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("task", nargs="*", help="names; all by default")


def run(arguments: argparse.Namespace) -> None:
    """Download what is missing, and name where each task's files are."""
    failures = []
    for name, task in definitions(arguments.task).items():
        # Tasks that cannot be downloaded are answered if they are named, else passed over.
        if not task.sources and name not in arguments.task:
            continue
        try:
            folder = data_folder(task)
            is_generated = all(where.file is None for where in task.splits.values())
            print(f"{name}: {'generated; there are no files' if is_generated else folder}")
        except UserError as error:
            # One corpus that cannot be had must not keep the others from being fetched.
            failures.append(name)
            print(f"\n{name}: {error}\n", file=sys.stderr)
    if failures:
        raise UserError(f"{len(failures)} tasks could not be had: {', '.join(failures)}.")
