"""The table that a predictor sees: a row for each directed pair of tasks, 3 x 14 columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtl_bench.analysis.arrays import Floats

ROLES = ("main", "aux", "ratio")


@dataclass(frozen=True)
class Table:
    """Directed pairs, their gains and features.

    Attributes:
        main: [N] main task of each pair.
        aux: [N] auxiliary task.
        gain: [N] percent.
        columns: [F] (feature, role), the role being main, aux or ratio (main / aux).
        values: [N, F] as measured, not scaled.
    """

    main: tuple[str, ...]
    aux: tuple[str, ...]
    gain: Floats
    columns: tuple[tuple[str, str], ...]
    values: Floats

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.gain)

    def tasks(self) -> tuple[str, ...]:
        """Return the main tasks, sorted."""
        return tuple(sorted(set(self.main)))

    def pairs(self) -> list[tuple[str, str]]:
        """Return main and auxiliary task of each row."""
        return list(zip(self.main, self.aux, strict=True))

    def helps(self) -> Floats:
        """Return [N] 1 where the gain is above 0, else 0: the paper's two classes."""
        positive: Floats = (self.gain > 0).astype(np.float64)
        return positive

    def only(self, features: Collection[str]) -> Table:
        """Return the table with the columns of some features."""
        return self._with([n for n, (name, _) in enumerate(self.columns) if name in features])

    def finite(self) -> Table:
        """Return the table without columns that are not finite for some pair.

        Such are a ratio to 0, and what comes of a curve that was too short or not fitted.
        """
        finite = np.isfinite(self.values).all(axis=0)
        return self._with(np.flatnonzero(finite))

    def in_columns(self, columns: Sequence[tuple[str, str]]) -> Table:
        """Return the table with some columns, in their order."""
        return self._with([self.columns.index(column) for column in columns])

    def _with(self, chosen: Sequence[int] | NDArray[np.int64]) -> Table:
        """Return the table with some columns, by their numbers."""
        numbers = np.array(chosen, dtype=np.int64)
        return self.replaced([self.columns[n] for n in numbers], self.values[:, numbers])

    def replaced(self, columns: Sequence[tuple[str, str]], values: Floats) -> Table:
        """Return the same pairs and gains with other columns."""
        rows = np.ascontiguousarray(values)  # or sums are rounded in another order
        return replace(self, columns=tuple(columns), values=rows)


def make_table(
    gains: Mapping[tuple[str, str], float],
    features: Mapping[str, Mapping[str, float]],
    names: Sequence[str],
) -> Table:
    """Return the table of some pairs.

    Args:
        gains: percent, by (main, aux).
        features: by task and name.
        names: of the features to take, in their order.
    """
    pairs = sorted(gains)
    numbers = {task: np.array([features[task][name] for name in names]) for task in features}
    rows = [
        np.concatenate([numbers[m], numbers[a], ratio(numbers[m], numbers[a])]) for m, a in pairs
    ]
    return Table(
        tuple(main for main, _ in pairs),
        tuple(aux for _, aux in pairs),
        np.array([gains[pair] for pair in pairs]),
        tuple((name, role) for role in ROLES for name in names),
        np.array(rows).reshape(len(pairs), 3 * len(names)),
    )


def ratio(main: Floats, aux: Floats) -> Floats:
    """Return main / aux; 1 where both are 0, such as the unknown words of two tasks without any."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a ratio to 0 is infinite
        return np.where((main == 0) & (aux == 0), 1.0, main / aux)


def scaled(values: Floats) -> Floats:
    """Return columns scaled to [0, 1] by their smallest and largest value; constants become 0.

    The paper scales with all rows, those of the test folds included.
    """
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    width = np.where(high > low, high - low, 1)
    result: Floats = (values - low) / width
    return result
