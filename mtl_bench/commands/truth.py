"""`mtl-bench truth`: how much each embedded task can help each, from the language alone."""

from __future__ import annotations

import argparse

from mtl_bench.commands.shared.definitions import corpus_of, definitions, sweep_folder
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import read_sweep
from mtl_bench.tasks.readers.synthetic import truth

HELP = "print who helps whom among the embedded tasks (CSV), or whether gains recover it"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "sweep", nargs="?", type=sweep_folder, help="of embedded tasks, to compare with"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print main, aux and help, a line each pair of embedded tasks; or the comparison."""
    embedded = {n: task for n, task in definitions().items() if n.startswith("syn_")}
    matrix = truth({n: corpus_of(n, task) for n, task in embedded.items()})
    known = {(main, aux): value for main, row in matrix.items() for aux, value in row.items()}
    if arguments.sweep is None:
        print("main,aux,help")
        for (main, aux), value in known.items():
            print(f"{main},{aux},{value:.6f}")
        return
    from mtl_bench.analysis.gains.agreement import recovery  # scipy: a second
    from mtl_bench.analysis.gains.gains import gains

    found = list(gains(read_sweep(arguments.sweep)))
    if len({gain.variant for gain in found}) > 1:
        raise UserError(f"{arguments.sweep}: has several variants, which have gains of their own.")
    measured = {(gain.main, gain.aux): mean for gain in found if (mean := gain.mean()) is not None}
    if len(measured.keys() & known.keys()) < 3:
        raise UserError(f"{arguments.sweep}: has fewer than three pairs of embedded tasks.")
    result = recovery(known, measured)
    seeds = sorted({len(gain.multi) for gain in found})
    print(
        f"{result.pairs} gains, seeds each: {' or '.join(map(str, seeds))}; rank correlation with "
        f"the truth:\n  over all pairs    {result.whole:+.2f} (95 % interval over main tasks: "
        f"{result.interval[0]:+.2f} to {result.interval[1]:+.2f})\n  within main tasks "
        f"{result.within:+.2f} (mean)\n  tasks shuffled    {result.shuffled[0]:+.2f} to "
        f"{result.shuffled[1]:+.2f} (95 % of 1,000)"
    )
