"""`mtl-bench tasks`: all tasks, or the paper's Table 1 beside the corpora here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mtl_bench.commands.shared.definitions import corpus_of, definitions
from mtl_bench.commands.shared.tables import add_format, print_table
from mtl_bench.errors import UserError
from mtl_bench.tasks.definition import Task, is_here
from mtl_bench.tasks.examples import SPLITS

HELP = "list the tasks, or compare their corpora with the paper's Table 1"

TOO_WIDE = ("licence", "source")
"""Columns that would take most of a terminal's width."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "--table1", action="store_true", help="statistics of the corpora here beside the paper's"
    )
    parser.add_argument(
        "--records",
        type=Path,
        help="folder of runs that Table 1 takes F1 from (default: multirun_outputs)",
    )
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the one table or the other."""
    if arguments.records and not (arguments.table1 and arguments.records.is_dir()):
        raise UserError(
            f"--records {arguments.records}: goes with --table1, and is a folder of runs."
        )
    if arguments.table1:
        from mtl_bench.commands.shared.table1 import print_table1  # pandas: half a second

        print_table1(arguments.records or Path("multirun_outputs"), arguments.format)
    else:
        rows = [_overview(name, task) for name, task in definitions().items()]
        if arguments.format != "table":
            print_table(rows, arguments.format)
            return
        rows = [{k: v for k, v in row.items() if k not in TOO_WIDE} for row in rows]
        note = "Licences and sources: --format json, csv or markdown."
        print_table(rows, "table", [note], wrapped=["what it labels"])


def _overview(name: str, task: Task) -> dict[str, str | float | None]:
    """Return what is known of a task; its sizes in sentences only where its data is here."""
    corpus = None
    try:
        if all(where.file is None for where in task.splits.values()):
            data = "generated"
        elif is_here(task):
            data = "here"
        else:
            data = "to download" if task.sources else "bring your own"
        if data in ("generated", "here"):
            corpus = corpus_of(name, task)
    except UserError as error:  # one broken task hides no other
        data = "broken"
        print(f"\n{name}: {error}\n", file=sys.stderr)
    sizes = {str(split): len(corpus[split]) if corpus else None for split in SPLITS}
    return {
        "task": name,
        "what it labels": task.title,
        "data": data,
        **sizes,
        "licence": task.licence,
        "source": task.homepage,
    }
