"""`mtl-bench gains`: what each auxiliary task changed, from the records of a sweep."""

from __future__ import annotations

import argparse
import sys

from mtl_bench.commands.shared.arguments import add_mains, add_metric, budget
from mtl_bench.commands.shared.tables import add_format, frame_rows, print_table
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import read_sweep, sweep_folder

HELP = "print the gains of a sweep: rows main tasks, columns auxiliary tasks"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", type=sweep_folder, help="name or folder of the sweep")
    add_mains(parser)
    add_metric(parser)
    parser.add_argument(
        "--budget", type=budget, help="steps per task to compare at (default: each asked for)"
    )
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print gains; csv and json have a row for each.

    Raises:
        UserError: there are none.
    """
    from mtl_bench.analysis.gains.gains import gains_frame  # pandas, scipy: 1 s
    from mtl_bench.commands.shared.gains_text import missing_lines, print_gains, why_none

    statuses = read_sweep(arguments.sweep, arguments.main)
    budgets = None if arguments.budget is None else [arguments.budget]
    if arguments.format not in ("csv", "json"):
        print_gains(
            arguments.sweep, statuses, arguments.format, arguments.metric, budgets, arguments.main
        )
        return
    frame, problems = gains_frame(
        arguments.sweep, statuses, metric=arguments.metric, budgets=budgets
    )
    if frame.empty:
        lines = [*problems, why_none(statuses, arguments.metric, arguments.main)]
        raise UserError("\n".join(lines))
    for line in (*problems, *missing_lines(statuses, arguments.main)):
        print(line, file=sys.stderr)
    print_table(frame_rows(frame), arguments.format)
