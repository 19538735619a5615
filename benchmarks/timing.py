"""Times of several things in turn, and their ratios to the first."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Row:
    """What was measured of one thing.

    Attributes:
        name: of it.
        milliseconds: median.
        ratio: median of the ratios to the first thing of the same round.
        low: smallest of them.
        high: largest.
    """

    name: str
    milliseconds: float
    ratio: float
    low: float
    high: float


def options(doc: str, rounds: int = 15) -> argparse.Namespace:
    """Return `task`, `rounds` and `batches` from the command line, and leave torch one thread."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--task", default="chu")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--batches", type=int, default=20, help="of each side of a round")
    torch.set_num_threads(1)
    return parser.parse_args()


def in_turn(
    sides: Mapping[str, Callable[[], object]],
    rounds: int,
    per: int = 1,
    clock: Callable[[], float] = time.perf_counter,
    warm_up: bool = True,
) -> list[Row]:
    """Do every thing once, then `rounds` times in turn, and compare with the first.

    Args:
        sides: things by name.
        rounds: how often.
        per: units of work in one call, such as steps; times are of one unit.
        clock: what tells the time, in seconds.
        warm_up: whether everything is done once before, for things of less than minutes.
    """
    for act in sides.values() if warm_up else ():
        act()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, act in sides.items():
            begin = clock()
            act()
            times[name].append((clock() - begin) / per)
    first = next(iter(times.values()))
    rows = []
    for name, found in times.items():
        ratios = [a / b for a, b in zip(found, first, strict=True)]
        median = 1000 * statistics.median(found)
        rows.append(Row(name, median, statistics.median(ratios), min(ratios), max(ratios)))
    return rows


def show(title: str, rows: list[Row]) -> None:
    """Print rows as a table."""
    print(f"\n{title}")
    for row in rows:
        print(
            f"  {row.name:44s} {row.milliseconds:9.2f} ms   ratio {row.ratio:6.2f} "
            f"({row.low:.2f} to {row.high:.2f})"
        )
