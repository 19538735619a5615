"""`mtl-bench fetch`: download and check the public corpora."""

from __future__ import annotations

import argparse

from mtl_bench.commands.definitions import definitions
from mtl_bench.tasks.task import root_of

HELP = "fetch and check the public corpora of tasks"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("task", nargs="*", help="names; all by default")


def run(arguments: argparse.Namespace) -> None:
    """Download what is missing, and name where each task's files are."""
    for name, task in definitions(arguments.task).items():
        if task.sources or name in arguments.task:
            print(f"{name}: {root_of(task)}")
