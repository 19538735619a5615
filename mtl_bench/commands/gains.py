"""`mtl-bench gains`: what each auxiliary task changed, from the records of a sweep."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console

from mtl_bench.commands.definitions import sweep_folder
from mtl_bench.commands.tables import Row, add_format, print_table
from mtl_bench.meta.gains import Gain, gains
from mtl_bench.runs.store import Stored, read_sweep

HELP = "print the gains of a sweep: rows main tasks, columns auxiliary tasks"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", type=sweep_folder, help="name or folder of the sweep")
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print gains; csv and json have a row for each."""
    runs = read_sweep(arguments.sweep)
    if arguments.format in ("csv", "json"):
        print_table([_row(gain) for gain in gains(runs)], arguments.format)
    else:
        print_gains(runs, arguments.format)


def _row(gain: Gain) -> Row:
    single, multi = gain.single.values(), gain.multi.values()
    return {
        "main": gain.main,
        "aux": gain.aux,
        "variant": gain.variant,
        "seeds": len(multi),
        "single_f1": sum(single) / len(single),
        "multi_f1": sum(multi) / len(multi),
        "gain_percent": gain.mean(),
        "spread_percent": gain.spread(),
    }


def print_gains(runs: Sequence[Stored], style: str = "table") -> None:
    """Print a table for each variant of a sweep."""
    by_variant: dict[str, list[Gain]] = defaultdict(list)
    for gain in gains(runs):
        by_variant[gain.variant].append(gain)
    for variant, found in by_variant.items():
        steps = {
            r.planned.steps // len(r.planned.tasks) for r in runs if r.planned.variant == variant
        }
        seeds = {seed for gain in found for seed in gain.multi}
        schedule = " or ".join(f"{number:,}" for number in sorted(steps))
        of = f"{len(seeds)} seed{'s' * (len(seeds) > 1)}" + (f", {variant}" if variant else "")
        print(f"\nGain of F1 in percent, {schedule} steps a task, {of}")
        columns = sorted({gain.aux for gain in found})
        cells = {(gain.main, gain.aux): _cell(gain) for gain in found}
        wide = sum(2 + max(len(aux), 6) for aux in columns) > Console().width - 12
        number = {aux: str(n) for n, aux in enumerate(columns, start=1)} if wide else {}
        rows: list[Row] = [
            {
                "main \\ aux": f"{number.get(main, '')} {main}".strip(),
                **{number.get(aux, aux): cells.get((main, aux), "") for aux in columns},
            }
            for main in sorted({gain.main for gain in found})
        ]
        low = any(gain.low() for gain in found)
        notes = ["* the F1 of the single run is below 5 %"] if low else []
        if number:
            notes.append("Columns: " + ", ".join(f"{n} {aux}" for aux, n in number.items()))
        print_table(rows, style, notes)


def _cell(gain: Gain) -> str:
    mean = gain.mean()
    return "undefined" if mean is None else f"{mean:+.1f}{'*' * gain.low()}"
