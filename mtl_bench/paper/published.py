"""Numbers that Bingel and Søgaard (2017) printed or released, as this package's own data."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOLDER = Path(__file__).parent / "data"
EVERY = 500  # steps between the points of curves


def table1() -> dict[str, dict[str, float]]:
    """Return Table 1 of the paper: by task, its statistics and the F1 of its single run.

    >>> table1()["chu"]["size"]
    8936.0
    """
    return _by_task("table1.csv")


DECIMALS = {
    "size": 0,
    "labels": 0,
    "tokens_per_type": 2,
    "oov_percent": 2,
    "label_entropy": 2,
    "frobenius_norm": 1,
    "jsd": 2,
    "f1": 1,
}
"""Decimals that Table 1 prints, by statistic, in its order."""


def deviates(statistic: str, ours: float, paper: float) -> bool:
    """Return whether a number is off by more than one unit of the last digit printed.

    >>> deviates("label_entropy", 2.416, 2.43), deviates("label_entropy", 2.412, 2.43)
    (False, True)
    """
    decimals = DECIMALS[statistic]
    return abs(round(ours, decimals) - paper) > 1.001 * 10.0**-decimals


def curve_features() -> dict[str, dict[str, float]]:
    """Return gradients and fitted curve of each task, as the authors' software computed them.

    Five slopes (nats a step) at 10, 20, 30, 50 and 70 percent of training, and a, b, c, d of
    L(i) = a ln(c i + d) + b. Of these c is not identifiable: see `meta.features.logcurve`.
    """
    return _by_task("curve_features.csv")


def gains(column: str = "gain_percent") -> dict[tuple[str, str], float]:
    """Return the 90 gains (percent) by main and auxiliary task.

    Args:
        column: `gain_percent` (Figure 1: 50,000 steps single, 100,000 pair), `gain_late_percent`
            (mean of the last 20 evaluations) or `gain_half_percent` (25,000 and 50,000 steps).
    """
    with (FOLDER / "gains.csv").open(newline="", encoding="utf-8") as stream:
        return {(row["main"], row["aux"]): float(row[column]) for row in csv.DictReader(stream)}


@dataclass(frozen=True)
class GainRow:
    """A directed pair: F1 (0 to 1) alone and beside the auxiliary, and changes in percent.

    `late` is the gain from the means of the last 20 evaluations, `spread` the standard deviation of
    a gain from single late evaluations.
    """

    main: str
    aux: str
    single_f1: float
    pair_f1: float
    gain: float
    late: float
    spread: float


def gain_rows() -> list[GainRow]:
    """Return the 90 gains of Figure 1 with what they come from."""
    with (FOLDER / "gains.csv").open(newline="", encoding="utf-8") as stream:
        names = ("single_f1", "pair_f1", "gain_percent", "gain_late_percent", "spread_percent")
        return [
            GainRow(row["main"], row["aux"], *(float(row[name]) for name in names))
            for row in csv.DictReader(stream)
        ]


def loss_curves() -> dict[str, tuple[Floats, Floats]]:
    """Return steps and training loss (nats) of the ten single runs, every 500 steps."""
    with np.load(FOLDER / "loss_curves.npz") as file:
        return {
            name.removesuffix("/loss"): (_floats(file[f"{name[:-5]}/step"]), _floats(file[name]))
            for name in file.files
            if name.endswith("/loss")
        }


def f1_curves() -> dict[tuple[str, str], tuple[Floats, Floats]]:
    """Return steps and F1 (0 to 1) every 500 steps, by run (`a` or `a+b`) and task."""
    with np.load(FOLDER / "f1_curves.npz") as file:
        found = {}
        for name in file.files:
            run, _, task = name.partition("/")
            steps = np.arange(1, len(file[name]) + 1) * EVERY
            found[run, task] = (_floats(steps), _floats(file[name]) / 100_000)
        return found


def table3() -> dict[str, tuple[float, float]]:
    """Return accuracy and F1 (of gains) of each row of Table 3."""
    with (FOLDER / "table3.csv").open(newline="", encoding="utf-8") as stream:
        return {r["row"]: (float(r["accuracy"]), float(r["f1"])) for r in csv.DictReader(stream)}


def table4() -> dict[tuple[str, str], float]:
    """Return the 42 coefficients of Table 4, by feature and role (main, aux, ratio)."""
    with (FOLDER / "table4.csv").open(newline="", encoding="utf-8") as stream:
        return {
            (row["feature"], row["role"]): float(row["coefficient"])
            for row in csv.DictReader(stream)
        }


def _by_task(name: str) -> dict[str, dict[str, float]]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as stream:
        return {
            row.pop("task"): {key: float(value) for key, value in row.items()}
            for row in csv.DictReader(stream)
        }


def _floats(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64)
