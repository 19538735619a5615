"""`mtl-bench gains`: what each auxiliary task changed, from the records of a sweep."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console

from mtl_bench.analysis.gains.gains import METRICS, Gain, gains, main_order, missing_singles, signed
from mtl_bench.commands.shared.definitions import sweep_folder
from mtl_bench.commands.shared.tables import Row, add_format, print_table
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import RunStatus, read_sweep

HELP = "print the gains of a sweep: rows main tasks, columns auxiliary tasks"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", type=sweep_folder, help="name or folder of the sweep")
    add_metric(parser)
    add_format(parser)


def add_metric(parser: argparse.ArgumentParser) -> None:
    """Let a command be asked for gains of another metric than the primary one."""
    parser.add_argument("--metric", choices=METRICS, help="that gains are of (default: f1)")


def of_metric(arguments: argparse.Namespace) -> list[str]:
    """Return the override of a study that asks for the metric chosen, if one was."""
    return [f"metric={arguments.metric}"] if arguments.metric else []


def run(arguments: argparse.Namespace) -> None:
    """Print gains; csv and json have a row for each.

    Raises:
        UserError: there are none.
    """
    runs = read_sweep(arguments.sweep)
    metric = arguments.metric or "f1"
    if arguments.format in ("csv", "json"):
        found = gains(runs, metric)
        if not found:
            raise UserError(why_none(runs, metric))
        print_table([_row(gain, metric) for gain in found], arguments.format)
    else:
        print_gains(runs, arguments.format, metric)


def _row(gain: Gain, metric: str) -> Row:
    single, multi = gain.single.values(), gain.multi.values()
    return {
        "main": gain.main,
        "aux": gain.aux,
        "variant": gain.variant,
        "metric": metric,
        "seeds": len(multi),
        "single": sum(single) / len(single),
        "multi": sum(multi) / len(multi),
        "gain_percent": gain.mean(),
        "points": gain.points(),
        "spread_percent": gain.spread(),
    }


def why_none(runs: Sequence[RunStatus], metric: str) -> str:
    """Say why runs have no gain, and what to do."""
    lines = ["No gain can be computed from these runs."]
    if metric != "f1" and gains(runs):
        lines.append(f"Their tasks have no {METRICS[metric]}; `--metric f1` has gains.")
    lines += _missing_lines(runs)
    if len(lines) == 1:
        states = sorted({run.state for run in runs})
        lines.append(
            "A gain takes a finished run of several tasks, and one of the main task alone. States "
            f"of the {len(runs)} runs: {', '.join(states)}."
        )
    return "\n".join(lines)


def _missing_lines(runs: Sequence[RunStatus]) -> list[str]:
    """Name the single runs without which gains are missing, and how to train them."""
    return [
        f"{main} alone is not finished{f' ({variant})' if variant else ''}, which its gains are "
        f"relative to: `python train.py main={main}` with the other arguments of the sweep."
        for variant, mains in sorted(missing_singles(runs).items())
        for main in sorted(mains)
    ]


def print_gains(runs: Sequence[RunStatus], style: str = "table", metric: str = "f1") -> None:
    """Print a table for each variant of a sweep, pairs first, then larger sets.

    Raises:
        UserError: there are no gains.
    """
    by_variant: dict[str, list[Gain]] = defaultdict(list)
    for gain in gains(runs, metric):
        by_variant[gain.variant].append(gain)
    if not by_variant:
        raise UserError(why_none(runs, metric))
    for variant, found in by_variant.items():
        steps = {r.run.steps // len(r.run.tasks) for r in runs if r.run.variant == variant}
        seeds = {seed for gain in found for seed in gain.multi}
        schedule = " or ".join(f"{number:,}" for number in sorted(steps))
        of = f"{len(seeds)} seed{'s' * (len(seeds) > 1)}" + (f", {variant}" if variant else "")
        print(f"\nGain of {METRICS[metric]} in percent, {schedule} steps a task, {of}")
        pairs = [gain for gain in found if "+" not in gain.aux]
        if pairs:
            _print_matrix(pairs, style)
        sets = [gain for gain in found if "+" in gain.aux]
        if sets:
            _print_sets(sets, style)
    for line in _missing_lines(runs):
        print(f"\n{line}", file=sys.stderr)


def _print_matrix(pairs: Sequence[Gain], style: str) -> None:
    columns = sorted({gain.aux for gain in pairs})
    cells = {(gain.main, gain.aux): _cell(gain) for gain in pairs}
    wide = sum(2 + max(len(aux), 6) for aux in columns) > Console().width - 12
    number = {aux: str(n) for n, aux in enumerate(columns, start=1)} if wide else {}
    rows: list[Row] = [
        {
            "main \\ aux": f"{number.get(main, '')} {main}".strip(),
            **{number.get(aux, aux): cells.get((main, aux), "") for aux in columns},
        }
        for main in main_order(cells)
    ]
    notes = _notes(pairs)
    if number:
        notes.append("Columns: " + ", ".join(f"{n} {aux}" for aux, n in number.items()))
    print_table(rows, style, notes)


def _print_sets(sets: Sequence[Gain], style: str) -> None:
    print("\nWith several auxiliaries at once")
    rows: list[Row] = [
        {"main": g.main, "aux": g.aux, "gain": _cell(g), "points": signed(g.points())}
        for main in main_order((g.main, g.aux) for g in sets)
        for g in sets
        if g.main == main
    ]
    print_table(rows, style, _notes(sets))


def _cell(gain: Gain) -> str:
    mean = gain.mean()
    if mean is None:
        return f"{signed(gain.points())} pt"
    return f"{signed(mean)}{'*' * gain.low()}"


def _notes(found: Sequence[Gain]) -> list[str]:
    """Return a footnote for each sign that cells have."""
    cells = [_cell(gain) for gain in found]
    notes = []
    if any(cell.endswith("*") for cell in cells):
        notes.append("* the single run scores below 5 %: a relative change says little")
    if any(cell.endswith("pt") for cell in cells):
        notes.append("pt: points; the single run scores 0, so that a relative change is undefined")
    return notes
