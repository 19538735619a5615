"""`mtl-bench status`: how far a sweep is, from the disk; it may run, have ended or have crashed."""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from dataclasses import replace

from mtl_bench.commands.shared.tables import MOST_COLUMNS, Row, add_format, print_table
from mtl_bench.runs.sweep_folder import (
    PLAN,
    RunStatus,
    State,
    all_tasks,
    read_plan,
    sweep_folder,
    sweep_statuses,
)

HELP = "show how far a sweep is"
SIGNS: dict[State, str] = {
    "finished": "✓",
    "running": "▶",
    "interrupted": "‖",
    "failed": "✗",
    "damaged": "!",
    "pending": "·",
}


MANY_SEEDS = 5  # seeds, whose states are counted rather than shown one by one


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", type=sweep_folder, help="name or folder of the sweep")
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print states by task, as a matrix or counts; csv and json have a row for each run."""
    statuses, rows = [], []
    for status in sweep_statuses(arguments.sweep):
        rows.append(_row(status))
        statuses.append(replace(status, record=None))
    if arguments.format in ("csv", "json"):
        print_table(rows, arguments.format)
        return
    by_variant: dict[str, list[RunStatus]] = defaultdict(list)
    for status in statuses:
        by_variant[status.run.variant].append(status)
    for variant, own in by_variant.items():
        if variant:
            print(f"\n{variant}")
        many = len(all_tasks(own)) > MOST_COLUMNS
        print_table(_counts(own) if many else _matrix(own), arguments.format, is_matrix=not many)
    if (arguments.sweep / PLAN).exists() and not read_plan(arguments.sweep):
        print(f"{arguments.sweep / PLAN}: is damaged; runs that have not begun are not shown.")
    counts = Counter(status.state for status in statuses)
    by_state = ", ".join(
        f"{counts[state]} {state} {SIGNS[state]}" for state in SIGNS if counts[state]
    )
    print(f"\n{len(statuses)} runs: {by_state}")
    for status in statuses:
        if status.heartbeat:
            beat = status.heartbeat
            print(
                f"  {SIGNS['running']} {status.run.folder}: step {beat.step} of "
                f"{beat.steps or '?'}, on {beat.host}, process {beat.pid}"
            )
    for status in statuses:
        if status.problem and status.state != "interrupted":
            print(f"  {SIGNS[status.state]} {status.run.folder}: {status.problem.splitlines()[0]}")


def _row(status: RunStatus) -> Row:
    steps_done = status.record.steps_done if status.record else 0
    return {
        "folder": status.run.folder,
        "tasks": "+".join(status.run.tasks),
        "variant": status.run.variant,
        "seed": status.run.seed,
        "budget": status.run.budgets[-1],
        "state": status.state,
        "step": status.heartbeat.step if status.heartbeat else steps_done,
        "steps": status.run.steps,
        "problem": status.problem,
    }


def _counts(statuses: list[RunStatus]) -> list[Row]:
    """Return a row for each task: how many of its runs are in which state."""
    counts: dict[str, Counter[State]] = defaultdict(Counter)
    for status in statuses:
        for task in status.run.tasks:
            counts[task][status.state] += 1
    states = [state for state in SIGNS if any(each[state] for each in counts.values())]
    return [
        {"task": task, **{f"{state} {SIGNS[state]}": counts[task][state] for state in states}}
        for task in sorted(counts)
    ]


def _matrix(statuses: list[RunStatus]) -> list[Row]:
    """Return a row for each task: its runs with every other one, a sign for each seed."""
    states: dict[frozenset[str], list[str]] = defaultdict(list)
    for status in statuses:
        states[frozenset(status.run.tasks)].append(SIGNS[status.state])
    signs = {
        names: "".join(symbols)
        if len(symbols) <= MANY_SEEDS
        else " ".join(f"{n}{sign}" for sign, n in Counter(symbols).items())
        for names, symbols in states.items()
    }
    tasks = all_tasks(statuses)
    rows: list[Row] = [
        {"": one, **{other: signs.get(frozenset({one, other}), "") for other in tasks}}
        for one in tasks
    ]
    for names, sign in signs.items():
        if len(names) > 2:
            rows.append({"": "+".join(sorted(names)), **dict.fromkeys(tasks, ""), tasks[0]: sign})
    return rows
