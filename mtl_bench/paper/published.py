"""Numbers that Bingel and Søgaard (2017) printed or released, as this package's own data."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mtl_bench.analysis.arrays import Floats

FOLDER = Path(__file__).parent / "data"
EVERY = 500  # steps between the points of curves
SCALE = 100_000  # of the F1 in curves, which are whole numbers
NAMES = ("task", "main", "aux", "row", "feature", "role")  # columns that hold no numbers


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
    # A thousandth more: numbers one unit apart may differ by 1.0000000002 units in binary.
    return abs(round(ours, decimals) - paper) > 1.001 * 10.0**-decimals


def curve_features() -> dict[str, dict[str, float]]:
    """Return gradients and fitted curve of each task, as the authors' software computed them.

    Five slopes (nats a step) at 10, 20, 30, 50 and 70 percent of training, and a, b, c, d of
    L(i) = a ln(c i + d) + b. Of these c is not identifiable: see `analysis.features.logcurve`.
    """
    return _by_task("curve_features.csv")


def gains(column: str = "gain_percent") -> dict[tuple[str, str], float]:
    """Return the 90 gains (percent) by main and auxiliary task.

    Args:
        column: `gain_percent` (Figure 1: 50,000 steps single, 100,000 pair), `gain_late_percent`
            (mean of the last 20 evaluations) or `gain_half_percent` (25,000 and 50,000 steps).
    """
    rows = _read("gains.csv")
    return dict(zip(zip(rows["main"], rows["aux"], strict=True), rows[column], strict=True))


class GainRow(NamedTuple):
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
    rows = _read("gains.csv").drop(columns="gain_half_percent")
    return [GainRow(*row) for row in rows.itertuples(index=False)]


def loss_curves() -> dict[str, tuple[Floats, Floats]]:
    """Return steps and training loss (nats) of the ten single runs, every 500 steps."""
    with np.load(FOLDER / "loss_curves.npz") as file:
        tasks = [name.removesuffix("/loss") for name in file.files if name.endswith("/loss")]
        return {
            task: (file[f"{task}/step"].astype(float), file[f"{task}/loss"].astype(float))
            for task in tasks
        }


def f1_curves() -> dict[tuple[str, str], tuple[Floats, Floats]]:
    """Return steps and F1 (0 to 1) every 500 steps, by run (`a` or `a+b`) and task."""
    curves = {}
    with np.load(FOLDER / "f1_curves.npz") as file:
        for name in file.files:
            run, _, task = name.partition("/")
            steps = np.arange(1.0, len(file[name]) + 1) * EVERY
            curves[run, task] = (steps, file[name].astype(float) / SCALE)
    return curves


def table3() -> pd.DataFrame:
    """Return accuracy and F1 (of gains) of each row of Table 3, by the name of the row."""
    return _read("table3.csv").set_index("row")


def table4() -> dict[tuple[str, str], float]:
    """Return the 42 coefficients of Table 4, by feature and role (main, aux, ratio)."""
    rows = _read("table4.csv")
    columns = zip(rows["feature"], rows["role"], strict=True)
    return dict(zip(columns, rows["coefficient"], strict=True))


def _by_task(name: str) -> dict[str, dict[str, float]]:
    rows = _read(name).to_dict("records")
    return {r.pop("task"): {str(key): float(v) for key, v in r.items()} for r in rows}


def _read(name: str) -> pd.DataFrame:
    """Return a table; its numbers are parsed as Python does, to the last bit."""
    rows = pd.read_csv(FOLDER / name, dtype=str)
    numbers = [column for column in rows if column not in NAMES]
    return rows.astype(dict.fromkeys(numbers, float))
