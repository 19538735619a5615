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
    with (FOLDER / "table1.csv").open(newline="", encoding="utf-8") as stream:
        return {
            row.pop("task"): {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(stream)
        }


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
