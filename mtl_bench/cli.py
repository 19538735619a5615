"""The `mtl-bench` command: what one does beside training."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mtl_bench.errors import UserError
from mtl_bench.runs.record import RECORD, read_curve, read_record


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    parser = argparse.ArgumentParser("mtl-bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    show = commands.add_parser("show", help="print the record of a run")
    show.add_argument("folder", type=Path, help="of the run: the one with record.json")
    show.set_defaults(command=_show)
    tasks = commands.add_parser("tasks", help="list the tasks known")
    tasks.set_defaults(command=_tasks)
    parsed = parser.parse_args(arguments)
    try:
        parsed.command(parsed)
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    return 0


def _show(arguments: argparse.Namespace) -> None:
    """Print what a run was, how it ended, and what it measured."""
    folder = arguments.folder
    record = read_record(folder)
    if record is None:
        below = sorted(str(found.parent) for found in folder.rglob(RECORD)) if folder.is_dir() else []
        raise UserError(
            f"{folder}: has no {RECORD}."
            + ("\nRuns below it:\n  " + "\n  ".join(below[:20]) if below else "")
        )
    curve = read_curve(folder)
    console = Console()
    console.print(f"[bold]{escape(' + '.join(record.tasks) or str(folder))}[/bold]  {record.status}")
    if record.error:
        console.print(f"  {escape(record.error['type'])}: {escape(record.error['message'])}")
    console.print(f"  steps     {record.steps_done} of {record.steps_planned}")
    console.print(f"  seed      {record.seed}")
    wall = record.timings.get("wall_seconds")
    console.print(f"  time      {wall:.0f} s" if isinstance(wall, float) else "  time      unknown")
    console.print(f"  hash      {record.config_hash[:16]}")
    console.print(f"  code      {record.git_commit or 'unknown commit'}")
    console.print("  versions  " + " ".join(f"{k} {v}" for k, v in record.versions.items()))
    table = Table("task", "split", "F1", "accuracy", "span F1", "loss", "unseen labels")
    keys = ("f1", "accuracy", "span_f1", "loss")
    for name, task in record.tasks.items():
        values = [f"{task.final[k]:.4f}" if k in task.final else "-" for k in keys]
        unseen = f"{task.final.get('unseen_labels', 0):.0f}"
        table.add_row(escape(name), task.final_split, *values, unseen)
    console.print(table)
    statistics = Table("statistic", *map(escape, record.tasks))
    for name in next((task.statistics for task in record.tasks.values()), {}):
        values = (task.statistics[name] for task in record.tasks.values())
        statistics.add_row(name, *("-" if value is None else f"{value:.4g}" for value in values))
    console.print(statistics)
    evaluations = Table("step", "task", "split", "F1", "loss", title="last evaluations")
    for row in [row for row in curve if row.f1 is not None][-10:]:
        evaluations.add_row(
            str(row.step), escape(row.task), row.split, f"{row.f1:.4f}", f"{row.loss:.4f}"
        )
    console.print(evaluations)


def _tasks(_: argparse.Namespace) -> None:
    """List every task with its title and licence."""
    from mtl_bench.compose import read_task, task_files  # imports Hydra

    table = Table("task", "what it labels", "licence")
    for name, file in task_files().items():
        task = read_task(file)
        table.add_row(escape(name), escape(task.title), escape(task.licence or "-"))
    Console().print(table)
