"""`mtl-bench show`: the record of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mtl_bench.errors import UserError
from mtl_bench.runs.curve import read_curve
from mtl_bench.runs.record import RECORD, read_record

HELP = "print the record of a run"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("folder", type=Path, help="of the run: the one with record.json")


def run(arguments: argparse.Namespace) -> None:
    """Print what a run was, how it ended, and what it measured."""
    folder = arguments.folder
    record = read_record(folder)
    if record is None:
        below = (
            sorted(str(found.parent) for found in folder.rglob(RECORD)) if folder.is_dir() else []
        )
        raise UserError(
            f"{folder}: has no {RECORD}."
            + ("\nRuns below it:\n  " + "\n  ".join(below[:20]) if below else "")
        )
    curve = read_curve(folder)
    console = Console()
    tasks = dict(record.main_first())
    console.print(f"[bold]{escape(' + '.join(tasks) or str(folder))}[/bold]  {record.status}")
    if record.error:
        console.print(f"  {escape(record.error.type)}: {escape(record.error.message)}")
    console.print(f"  steps     {record.steps_done}, a budget of {record.budget:g} per task")
    console.print(f"  seed      {record.seed}")
    wall = record.timings.get("wall_seconds")
    console.print(f"  time      {wall:.0f} s" if isinstance(wall, float) else "  time      unknown")
    console.print(f"  hash      {record.run_key[:16]}")
    console.print(f"  code      {record.git_commit or 'unknown commit'}")
    console.print("  versions  " + " ".join(f"{k} {v}" for k, v in record.versions.items()))
    table = Table("task", "split", "F1", "accuracy", "span F1", "loss", "unseen labels")
    keys = ("f1", "accuracy", "span_f1", "loss")
    for name, task in tasks.items():
        values = [f"{task.final[k]:.4f}" if k in task.final else "-" for k in keys]
        unseen = f"{task.final.get('unseen_labels', 0):.0f}"
        table.add_row(escape(name), task.final_split, *values, unseen)
    console.print(table)
    statistics = Table("statistic", *map(escape, tasks))
    for name in next((task.statistics for task in tasks.values()), {}):
        numbers = (task.statistics[name] for task in tasks.values())
        statistics.add_row(name, *("-" if n is None else f"{n:.4g}" for n in numbers))
    console.print(statistics)
    evaluations = Table("step", "task", "split", "F1", "loss", title="last evaluations")
    for row in [row for row in curve if "f1" in row.values][-10:]:
        evaluations.add_row(
            str(row.step),
            escape(row.task),
            row.split,
            f"{row.values['f1']:.4f}",
            f"{row.values['loss']:.4f}",
        )
    console.print(evaluations)
