"""`mtl-bench results`: lists result sets, writes their tables, and makes one of a sweep.

A result set holds the finished runs of a sweep in one file. It can be named wherever a sweep is
asked for: those of the package by name, others by their file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mtl_bench.commands.shared.tables import Row, add_format, print_table
from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.duration import duration
from mtl_bench.runs.pack import pack
from mtl_bench.runs.record_reading import curve_of
from mtl_bench.runs.result_sets import SUFFIX, about, packaged, unpacked
from mtl_bench.runs.sweep_folder import PUBLISHED, RunStatus, read_sweep, sweep_folder

if TYPE_CHECKING:
    import pandas as pd

HELP = "list result sets, export their tables, or make one of a sweep"
NOTE = "Where a sweep is asked for, name one: `mtl-bench gains <name>`."
PAPER: Row = {
    "name": PUBLISHED,
    "tasks": 10,
    "runs": 55,
    "seeds": 1,
    "budget": "50,000",
    "trained": "not known",
}
PUBLISHED_NOTE = (
    "published: the runs that Bingel and Søgaard (2017) released, for `study`, `report`, "
    "`recommend`, `results` (numbers, rewritten, of logs under GPL-3.0)"
)


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    actions = parser.add_subparsers(metavar="action", title="actions (none: list result sets)")
    add_format(parser)
    export = actions.add_parser("export", help="write tables: runs, tasks, gains, curves")
    export.add_argument("name", help="result set, sweep, or `published`")
    export.add_argument("--out", type=Path, required=True, help="folder to write to")
    export.add_argument("--as", dest="kind", choices=("csv", "parquet"), default="csv")
    export.set_defaults(action=_export)
    make = actions.add_parser("make", help="pack the finished runs of a sweep into one file")
    make.add_argument("sweep", type=sweep_folder, help="name or folder of the sweep")
    make.add_argument("--out", type=Path, required=True, help=f"file to write, *{SUFFIX}")
    make.add_argument("--title", required=True, help="one line that says what the runs are")
    make.add_argument("--licence", required=True, help="under which others may use the numbers")
    make.add_argument("--command", nargs="*", default=[], help="lines that train the runs")
    make.set_defaults(action=_make)


def run(arguments: argparse.Namespace) -> None:
    """List result sets, or do what is asked."""
    action = getattr(arguments, "action", _list)
    if action is not _list and arguments.format != "table":
        raise UserError("--format is that of the list; of an export, --as.")
    action(arguments)


def _list(arguments: argparse.Namespace) -> None:
    """Print what result sets there are."""
    rows, notes = [PAPER], [PUBLISHED_NOTE]
    for name, file in packaged().items():
        content = about(unpacked(file))
        rows.append(
            {
                "name": name,
                "tasks": len(content.tasks),
                "runs": content.runs,
                "seeds": len(content.seeds),
                "budget": " ".join(f"{budget:,.6g}" for budget in content.budgets),
                "trained": duration(content.train_seconds),
            }
        )
        notes.append(f"{name}: {content.title} ({content.licence})")
    print_table(rows, arguments.format, [*notes, NOTE])


def _export(arguments: argparse.Namespace) -> None:
    """Write the tables of a result set."""
    from mtl_bench.commands.shared.result_tables import tables_of

    tables, problems = tables_of(arguments.name)
    for line in problems:
        print(line, file=sys.stderr)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        file = arguments.out / f"{name}.{arguments.kind}"
        _write(frame, file, arguments.kind)
        print(f"written: {file}, {len(frame):,} rows")


def _write(frame: pd.DataFrame, file: Path, kind: str) -> None:
    """Write a table as CSV or Parquet, whole or not at all.

    Raises:
        UserError: Parquet needs a package that is not installed.
    """
    from mtl_bench.analysis.study_files import write_csv  # pandas: 1 s

    if kind == "csv":
        write_csv(file, frame)
        return
    try:
        write_atomically(file, frame.to_parquet(None, index=False))
    except ImportError:
        raise UserError(
            "Parquet needs the package pyarrow: `pip install pyarrow`, or use `--as csv`."
        ) from None


def _unusable(sweep: Path, status: RunStatus) -> str:
    """Return why a run cannot be a part of a result set; nothing if it can."""
    if status.record is None or status.record.status != "finished":
        return status.problem or status.state
    try:
        curve_of(status.record, sweep / status.run.folder)
    except UserError as error:
        return str(error)
    return ""


def _make(arguments: argparse.Namespace) -> None:
    """Pack a sweep."""
    if not arguments.out.name.endswith(SUFFIX) or arguments.out.is_dir():
        raise UserError(f"--out {arguments.out}: name a file that ends with {SUFFIX}.")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    statuses = []
    for status in read_sweep(arguments.sweep):
        if reason := _unusable(arguments.sweep, status):
            print(f"left out: {status.run.folder}: {reason.splitlines()[0]}", file=sys.stderr)
        else:
            statuses.append(status)
    content = pack(
        arguments.sweep,
        statuses,
        arguments.out,
        arguments.title,
        arguments.licence,
        arguments.command,
    )
    size = arguments.out.stat().st_size / 1e6
    print(f"written: {arguments.out}, {content.runs} runs, {size:.2f} MB")
