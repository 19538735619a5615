"""`mtl-bench show`: the record of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mtl_bench.commands.shared.metrics_table import Measured, metrics_table
from mtl_bench.errors import UserError
from mtl_bench.runs.record import RECORD
from mtl_bench.runs.record_reading import curve_of, read_record

HELP = "print the record of a run"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("folder", type=Path, help="of the run: the one with record.json")


def run(arguments: argparse.Namespace) -> None:
    """Print what a run was, how it ended, and what it measured."""
    folder = arguments.folder
    record = read_record(folder)
    if record is None:
        files = sorted(folder.rglob(RECORD)) if folder.is_dir() else []
        runs = "".join(f"\n  {file.parent}" for file in files[:20])
        raise UserError(f"{folder}: has no {RECORD}." + (f"\nRuns below it:{runs}" if runs else ""))
    curve = curve_of(record, folder)
    console = Console()
    tasks = dict(record.main_first())
    console.print(f"[bold]{escape(' + '.join(tasks) or str(folder))}[/bold]  {record.status}")
    if record.error:
        console.print(f"  {escape(record.error.type)}: {escape(record.error.message)}")
    console.print(f"  steps     {record.steps_done}, a budget of {record.budget:g} per task")
    kept = [f"{name} {task.kept_step}" for name, task in tasks.items() if task.kept_step]
    console.print(f"  kept      step {', '.join(kept) or '-'}")
    console.print(f"  seed      {record.seed}")
    wall = record.timings.get("wall_seconds")
    console.print(f"  time      {wall:.0f} s" if isinstance(wall, float) else "  time      unknown")
    console.print(f"  run key   {escape(record.run_key[:16])}")
    console.print(f"  code      {escape(record.git_commit or 'unknown commit')}")
    versions = " ".join(f"{k} {v}" for k, v in record.versions.items())
    console.print(f"  versions  {escape(versions)}")
    rows = [
        Measured(name, task.final_split, {k: m.title for k, m in task.metrics.items()}, task.final)
        for name, task in tasks.items()
    ]
    console.print(metrics_table(rows, "split"))
    statistics = Table("statistic", *map(escape, tasks))
    for name in next((task.statistics for task in tasks.values()), {}):
        numbers = (task.statistics.get(name) for task in tasks.values())
        cells = ["-" if number is None else f"{number:.4g}" for number in numbers]
        statistics.add_row(escape(name), *cells)
    console.print(statistics)
    evaluations = Table(
        "step", "task", "split", "metric", "value", "loss", title="last evaluations"
    )
    for row in [row for row in curve if row.split != "train" and row.task in tasks][-10:]:
        primary = tasks[row.task].primary
        values = [f"{row.values[k]:.4f}" if k in row.values else "-" for k in (primary, "loss")]
        title = tasks[row.task].metrics[primary].title
        evaluations.add_row(
            str(row.step), escape(row.task), escape(row.split), escape(title), *values
        )
    console.print(evaluations)
