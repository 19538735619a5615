"""`mtl-bench estimate`: scores auxiliaries before any pair is trained to its end.

Tasks and all else are chosen as for `train`: main=mwe 'aux=[chu,pos]' experiment=contextual. Each
task is trained alone, and all of them in one model, for `steps_per_task`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mtl_bench.commands.shared.tables import Row, add_format, print_table
from mtl_bench.errors import UserError

if TYPE_CHECKING:
    from mtl_bench.analysis.evaluation.estimators import Estimate

HELP = "score auxiliaries by estimators that train no pair to its end"
NOTE = (
    "1: should help most. Scores are in the file of --out. Which estimators agree with gains: "
    "docs/gains.md. Steps and seconds: of all pairs."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("overrides", nargs="*", help="of the configuration, as for `train`")
    parser.add_argument("--only", metavar="A,B", help="estimators, by commas (default: all)")
    parser.add_argument("--out", type=Path, help="CSV file to write the estimates to, too")
    parser.add_argument("--read", type=Path, help="CSV file of estimates, instead of making them")
    parser.add_argument(
        "--gains", metavar="SWEEP", help="score the estimates by the gains of these"
    )
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print estimates, or how well they agree with gains."""
    if bool(arguments.overrides) == bool(arguments.read):
        raise UserError("Give tasks, such as main=mwe 'aux=[chu,pos]', or `--read <file>`.")
    if arguments.out:
        if arguments.out.is_dir():
            raise UserError(f"--out {arguments.out}: is a folder; name a CSV file.")
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(arguments.out.parent, os.W_OK):
            raise UserError(f"--out {arguments.out}: nothing can be written to its folder.")
    from mtl_bench.commands.shared import estimates

    # Before pilots are trained for minutes.
    measurements = estimates.measured(arguments.gains) if arguments.gains else None
    for problem in measurements.missing if measurements else ():
        print(problem, file=sys.stderr)
    names = arguments.only.split(",") if arguments.only else None
    if arguments.read:
        results, main = estimates.read(arguments.read, names), None
    else:
        results, main = estimates.estimates_of(arguments.overrides, names, measurements)
    if arguments.out:
        estimates.write(arguments.out, results)
    if measurements:
        rows, notes = estimates.score_rows(results, measurements)
        print_table(rows, arguments.format, notes)
        return
    is_text = arguments.format in ("table", "markdown")
    pairs = dict.fromkeys(pair for each in results for pair in each.scores)
    mains = [main] if main else list(dict.fromkeys(pair[0] for pair in pairs))
    if not is_text:
        print_table(estimates.plain(results), arguments.format)
        return
    for task in mains:
        print(f"Ranks of the auxiliaries of {task}")
        print_table(_ranks(results, task), arguments.format)
    print(NOTE)


def _ranks(results: list[Estimate], main: str) -> list[Row]:
    """Return a row for each estimator: how it ranks the auxiliaries of a main task."""
    rows: list[Row] = []
    auxes = dict.fromkeys(aux for each in results for task, aux in each.scores if task == main)
    for each in results:
        scores = {aux: score for (task, aux), score in each.scores.items() if task == main}
        ranks = {
            aux: str(1 + sum(other > score for other in scores.values()))
            for aux, score in scores.items()
            if score == score  # not nan
        }
        # Headings that no task can be called.
        cost = {"cost, steps": f"{each.steps:,}", "cost, s": f"{each.seconds or 0:.0f}"}
        rows.append({"estimator": each.name, **{aux: ranks.get(aux, "") for aux in auxes}, **cost})
    return rows
