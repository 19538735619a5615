"""The `mtl-bench` command: what one does beside training."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mtl_bench.errors import UserError
from mtl_bench.runs.record import RECORD, read_curve, read_record
from mtl_bench.tasks.task import Task, load_corpus, root_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    parser = argparse.ArgumentParser("mtl-bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    show = commands.add_parser("show", help="print the record of a run")
    show.add_argument("folder", type=Path, help="of the run: the one with record.json")
    show.set_defaults(command=_show)
    tasks = commands.add_parser("tasks", help="list the tasks known")
    tasks.set_defaults(command=_tasks)
    fetch = commands.add_parser("fetch", help="fetch and check the public corpora of tasks")
    fetch.add_argument("task", nargs="*", help="names; all by default")
    fetch.set_defaults(command=_fetch)
    truth = commands.add_parser("truth", help="print who helps whom among the embedded tasks (CSV)")
    truth.set_defaults(command=_truth)
    parsed = parser.parse_args(arguments)
    try:
        parsed.command(parsed)
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (else Python complains while it ends)
    return 0


def _show(arguments: argparse.Namespace) -> None:
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
    console.print(
        f"[bold]{escape(' + '.join(record.tasks) or str(folder))}[/bold]  {record.status}"
    )
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
        numbers = (task.statistics[name] for task in record.tasks.values())
        statistics.add_row(name, *("-" if n is None else f"{n:.4g}" for n in numbers))
    console.print(statistics)
    evaluations = Table("step", "task", "split", "F1", "loss", title="last evaluations")
    for row in [row for row in curve if row.f1 is not None][-10:]:
        evaluations.add_row(
            str(row.step), escape(row.task), row.split, f"{row.f1:.4f}", f"{row.loss:.4f}"
        )
    console.print(evaluations)


def _tasks(_: argparse.Namespace) -> None:
    """List every task with its title and licence."""
    table = Table("task", "what it labels", "licence")
    for name, task in _definitions([]).items():
        table.add_row(escape(name), escape(task.title), escape(task.licence or "-"))
    Console().print(table)


def _fetch(arguments: argparse.Namespace) -> None:
    """Download what is missing, and name where each task's files are."""
    for name, task in _definitions(arguments.task).items():
        if task.sources:
            print(f"{name}: {root_of(task)}")


def _truth(_: argparse.Namespace) -> None:
    """Print main, aux and help, a line each pair of embedded tasks."""
    from hydra.utils import instantiate

    from mtl_bench.tasks.readers.synthetic import truth

    tasks = {name: t for name, t in _definitions([]).items() if name.startswith("syn_")}
    corpora = {n: load_corpus(n, task, instantiate(task.reader)) for n, task in tasks.items()}
    print("main,aux,help")
    for main, row in truth(corpora).items():
        for aux, value in row.items():
            print(f"{main},{aux},{value:.6f}")


def _definitions(names: Sequence[str]) -> dict[str, Task]:
    """Return the definitions of some tasks, or of all."""
    from mtl_bench.compose import plain_task, task_files  # imports Hydra

    files = task_files()
    for name in names:
        if name not in files:
            raise UserError(f"there is no task '{name}'. Possible: {', '.join(files)}.")
    return {name: plain_task(file) for name, file in files.items() if not names or name in names}
