"""`mtl-bench reference`: reference gains of the synthetic tasks, computed from their language."""

from __future__ import annotations

import argparse
import sys

from mtl_bench.commands.shared.definitions import corpus_of, definitions
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import read_sweep, sweep_folder
from mtl_bench.tasks.readers.synthetic import TASKS, reference_gains

HELP = "print reference gains of the synthetic tasks (CSV), or compare those of a sweep with them"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "sweep", nargs="?", type=sweep_folder, help="of synthetic tasks, to compare with"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print main, aux and help, a line each pair of synthetic tasks; or the comparison."""
    names = {f"syn_{name}" for name in TASKS}  # others of that prefix may be a user's
    synthetic = {name: task for name, task in definitions().items() if name in names}
    matrix = reference_gains({n: corpus_of(n, task) for n, task in synthetic.items()})
    reference = {(main, aux): value for main, row in matrix.items() for aux, value in row.items()}
    if arguments.sweep is None:
        print("main,aux,help")
        for (main, aux), value in reference.items():
            print(f"{main},{aux},{value:.6f}")
        return
    from mtl_bench.analysis.evaluation.agreement import agreement  # scipy: a second
    from mtl_bench.analysis.gains.gains import gains_frame

    gains, problems = gains_frame(arguments.sweep, read_sweep(arguments.sweep))
    for line in problems:
        print(line, file=sys.stderr)
    gains = gains.dropna(subset="gain_percent")
    if gains["variant"].nunique() > 1:
        raise UserError(f"{arguments.sweep}: has several variants, which have gains of their own.")
    budget = gains["budget"].max()
    gains = gains[gains["budget"] == budget]
    pairs = zip(gains["main"], gains["aux"], strict=True)
    gain_of = dict(zip(pairs, gains["gain_percent"], strict=True))
    if len(gain_of.keys() & reference.keys()) < 3:
        raise UserError(f"{arguments.sweep}: has fewer than three pairs of synthetic tasks.")
    result = agreement(reference, gain_of)
    seeds = " or ".join(str(seeds) for seeds in sorted(gains["seeds"].unique()))
    low, high = result.interval
    print(
        f"{result.pairs} gains at {budget:,.6g} steps per task, seeds each: {seeds}; rank "
        "correlation with the reference:"
    )
    print(
        f"  over all pairs    {result.over_all:+.2f} (95 % interval over main tasks: {low:+.2f} to "
        f"{high:+.2f})"
    )
    print(f"  within main tasks {result.within_mains:+.2f} (mean)")
    low, high = result.permuted
    print(f"  permuted tasks    {low:+.2f} to {high:+.2f} (95 % of 999)")
