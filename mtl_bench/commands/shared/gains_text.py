"""The gains of a sweep on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from mtl_bench.analysis.data.frame import StudiedMetric, has_result, studied_metrics, values_frame
from mtl_bench.analysis.gains.gain import Gain, is_small, main_order, signed
from mtl_bench.analysis.gains.gains import (
    asked_budgets,
    measured_gains,
    missing_singles,
    seeds_left_out,
)
from mtl_bench.commands.shared.tables import MOST_COLUMNS, Row, print_table
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import RunStatus

BEST, WORST = 10, 3
"""Gains of a main task that are shown where there are more auxiliaries than MOST_COLUMNS."""


def why_none(statuses: Sequence[RunStatus], metric: str | None, mains: Collection[str] = ()) -> str:
    """Return why runs have no gain of some main tasks (none: of any), and what to do."""
    lines = ["No gain can be computed from these runs."]
    if metric and not studied_metrics(statuses, metric):
        tasks = [task for s in statuses if s.record for task in s.record.tasks.values()]
        names = sorted({name for task in tasks for name in task.metrics})
        if names:
            lines.append(f"Their tasks have no {metric}; they have {', '.join(names)}.")
    lines += missing_lines(statuses, mains)
    if len(lines) == 1:
        states = sorted({status.state for status in statuses})
        lines.append(
            "A gain takes a finished run of several tasks, and one of the main task alone with the "
            f"same seed, both trained to the budget. States of the {len(statuses)} runs: "
            f"{', '.join(states)}."
        )
        trained = sorted({s.record.budget for s in statuses if s.record and has_result(s)})
        if trained:
            lines.append(
                f"Budgets that they are trained to: {', '.join(f'{b:g}' for b in trained)}."
            )
    return "\n".join(lines)


def missing_lines(statuses: Sequence[RunStatus], mains: Collection[str] = ()) -> list[str]:
    """Return the single runs without which gains are missing, and how to train them."""
    return [
        f"{main} alone is not finished{f' ({variant})' if variant else ''}, which its gains are "
        f"relative to: `python train.py main={main}` with the other arguments of the sweep."
        for variant, mains in sorted(missing_singles(statuses, mains).items())
        for main in sorted(mains)
    ]


def print_gains(
    sweep: Path,
    statuses: Sequence[RunStatus],
    style: str = "table",
    metric: str | None = None,
    budgets: Sequence[float] | None = None,
    mains: Collection[str] = (),
) -> None:
    """Print a table for each variant and budget of a sweep, pairs first, then larger sets.

    Raises:
        UserError: there are no gains.
    """
    metrics = studied_metrics(statuses, metric)
    values, problems = values_frame(sweep, statuses, metrics=metrics)
    tables: dict[tuple[str, float], list[Gain]] = {}
    for budget in asked_budgets(statuses) if budgets is None else budgets:
        for gain in measured_gains(values, metrics, budget):
            tables.setdefault((gain.variant, budget), []).append(gain)
    for line in problems:
        print(line, file=sys.stderr)
    if not tables:
        raise UserError(why_none(statuses, metric, mains))
    for (variant, budget), gains in sorted(tables.items()):
        seeds = sorted({gain.seeds for gain in gains})
        titles = sorted({metrics[gain.main].title for gain in gains})
        splits = sorted({gain.split for gain in gains})
        print(
            f"\nGain of {' or '.join(titles)} ({' or '.join(splits)}) in percent, at {budget:,.6g} "
            f"steps per task, {' or '.join(map(str, seeds))} seed{'s' * (seeds[-1] > 1)}"
            f"{f', {variant}' if variant else ''}"
        )
        if pairs := [gain for gain in gains if "+" not in gain.aux]:
            _print_matrix(pairs, metrics, style)
        if sets := [gain for gain in gains if "+" in gain.aux]:
            _print_sets(sets, metrics, style)
        if count := seeds_left_out(values, gains, budget):
            print(
                f"Up to {count} more seed{'s are' if count > 1 else ' is'} trained that far, and "
                "left out: a gain compares evaluations of one split and of equal steps.",
                file=sys.stderr,
            )
    for line in missing_lines(statuses, mains):
        print(f"\n{line}", file=sys.stderr)


def _print_matrix(pairs: Sequence[Gain], metrics: Mapping[str, StudiedMetric], style: str) -> None:
    columns = sorted({gain.aux for gain in pairs})
    if len(columns) > MOST_COLUMNS:
        _print_extremes(pairs, metrics, style)
        return
    cells = {(gain.main, gain.aux): _cell(gain, metrics) for gain in pairs}
    rows: list[Row] = [
        {"main \\ aux": main, **{aux: cells.get((main, aux), "") for aux in columns}}
        for main in main_order(cells)
    ]
    print_table(rows, style, _notes(cells.values()), is_matrix=True)


def _print_extremes(
    pairs: Sequence[Gain], metrics: Mapping[str, StudiedMetric], style: str
) -> None:
    """Print the largest and smallest gains of each main task: nobody reads a hundred columns."""
    rows: list[Row] = []
    for main in main_order((gain.main, gain.aux) for gain in pairs):
        own = sorted((g for g in pairs if g.main == main), key=lambda gain: -gain.points)
        for gain in own if len(own) <= BEST + WORST else [*own[:BEST], *own[-WORST:]]:
            cell = _cell(gain, metrics)
            rows.append(
                {"main": main, "aux": gain.aux, "gain": cell, "points": signed(gain.points)}
            )
    notes = [
        f"The {BEST} largest and {WORST} smallest gains of each main task; --format csv has all"
    ]
    print_table(rows, style, [*_notes(str(row["gain"]) for row in rows), *notes])


def _print_sets(sets: Sequence[Gain], metrics: Mapping[str, StudiedMetric], style: str) -> None:
    print("\nWith several auxiliaries at once")
    rows: list[Row] = [
        {
            "main": gain.main,
            "aux": gain.aux,
            "gain": _cell(gain, metrics),
            "points": signed(gain.points),
        }
        for main in main_order((gain.main, gain.aux) for gain in sets)
        for gain in sets
        if gain.main == main
    ]
    print_table(rows, style, _notes(str(row["gain"]) for row in rows))


def _cell(gain: Gain, metrics: Mapping[str, StudiedMetric]) -> str:
    if not gain.defined:
        return f"{signed(gain.points)} pt"
    marks = "#" * gain.clear + "*" * is_small(gain, metrics[gain.main])
    return signed(gain.gain_percent) + marks


def _notes(cells: Iterable[str]) -> list[str]:
    """Return a footnote for each sign that cells have."""
    cells = list(cells)
    notes = []
    if any("#" in cell for cell in cells):
        notes.append("# shown to help or to hurt, with 5 % false discoveries; others are undecided")
    else:
        notes.append("none is shown to help or to hurt, with 5 % false discoveries")
    if any(cell.endswith("*") for cell in cells):
        notes.append("* the single run scores below 5 %: a relative change says little")
    if any(cell.endswith("pt") for cell in cells):
        notes.append("pt: points; the single run scores 0, so that a relative change is undefined")
    return notes
