"""Numbers that Bingel and Søgaard (2017) printed or released, as this package's own data."""

from __future__ import annotations

import csv
from pathlib import Path

FOLDER = Path(__file__).parent


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
