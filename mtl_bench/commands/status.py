"""`mtl-bench status`: how far a sweep is, from the disk; it may run, have ended or have crashed."""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict

from mtl_bench.commands.shared.definitions import sweep_folder
from mtl_bench.commands.shared.tables import Row, add_format, print_table
from mtl_bench.runs.sweep_folder import PLAN, RunStatus, State, all_tasks, read_plan, read_sweep

HELP = "show how far a sweep is"
SIGNS: dict[State, str] = {
    "finished": "✓",
    "running": "▶",
    "interrupted": "‖",
    "failed": "✗",
    "damaged": "!",
    "pending": "·",
}


MANY = 5  # seeds, whose states are counted rather than shown one by one


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", type=sweep_folder, help="name or folder of the sweep")
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print a matrix of states for each variant; csv and json have a row for each run."""
    runs = read_sweep(arguments.sweep)
    if arguments.format in ("csv", "json"):
        print_table([_row(stored) for stored in runs], arguments.format)
        return
    by_variant: dict[str, list[RunStatus]] = defaultdict(list)
    for stored in runs:
        by_variant[stored.run.variant].append(stored)
    for variant, found in by_variant.items():
        if variant:
            print(f"\n{variant}")
        print_table(_matrix(found), arguments.format)
    if (arguments.sweep / PLAN).exists() and not read_plan(arguments.sweep):
        print(f"{arguments.sweep / PLAN}: is damaged; runs that have not begun are not shown.")
    counts = Counter(stored.state for stored in runs)
    print(
        f"\n{len(runs)} runs:", ", ".join(f"{counts[s]} {s} {SIGNS[s]}" for s in SIGNS if counts[s])
    )
    for stored in runs:
        if stored.heartbeat:
            heart = stored.heartbeat
            print(
                f"  {SIGNS['running']} {stored.run.folder}: step {heart.step} of "
                f"{heart.steps or '?'}, on {heart.host}, process {heart.pid}"
            )
    for stored in runs:
        if stored.problem and stored.state != "interrupted":
            print(f"  {SIGNS[stored.state]} {stored.run.folder}: {stored.problem.splitlines()[0]}")


def _row(stored: RunStatus) -> Row:
    done = stored.record.steps_done if stored.record else 0
    return {
        "folder": stored.run.folder,
        "tasks": "+".join(stored.run.tasks),
        "variant": stored.run.variant,
        "seed": stored.run.seed,
        "state": stored.state,
        "step": stored.heartbeat.step if stored.heartbeat else done,
        "steps": stored.run.steps,
        "problem": stored.problem,
    }


def _matrix(runs: list[RunStatus]) -> list[Row]:
    """Return a row for each task: its runs with every other one, a sign for each seed."""
    states: dict[frozenset[str], list[str]] = defaultdict(list)
    for stored in runs:
        states[frozenset(stored.run.tasks)].append(SIGNS[stored.state])
    signs = {
        names: "".join(found)
        if len(found) <= MANY
        else " ".join(f"{n}{sign}" for sign, n in Counter(found).items())
        for names, found in states.items()
    }
    tasks = all_tasks(runs)
    rows: list[Row] = [
        {"": one, **{other: signs.get(frozenset({one, other}), "") for other in tasks}}
        for one in tasks
    ]
    for names, sign in signs.items():
        if len(names) > 2:
            rows.append({"": "+".join(sorted(names)), **dict.fromkeys(tasks, ""), tasks[0]: sign})
    return rows
