"""A fitted predictor of gains, and what it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from mtl_bench.analysis.data.single_runs import Family
from mtl_bench.analysis.features.data import DataFeatures
from mtl_bench.analysis.features.pair_table import Table, make_table
from mtl_bench.analysis.predictors.fitting import score
from mtl_bench.errors import UserError

Features = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Predictor:
    """A fitted predictor of gains.

    Attributes:
        fitted: a scikit-learn estimator.
        table: that it learned from; it looks at its columns.
        families: that compute the features, by name.
        metric: whose gains it learned; None for each task's primary one.
        loss_over: what the training losses that it learned from are means over.
    """

    fitted: BaseEstimator
    table: Table
    families: Mapping[str, Family]
    metric: str | None
    loss_over: str = "words"

    @property
    def looks_at_losses(self) -> bool:
        """Whether a column comes from a curve of losses."""
        return any(feature not in DataFeatures().names() for feature, _ in self.table.columns)

    def mean_gain(self, main: str, aux: str) -> float | None:
        """Return the mean gain (percent) that an auxiliary gave other main tasks, if any."""
        pairs = zip(self.table.pairs(), self.table.gain, strict=True)
        gains = [gain for (m, a), gain in pairs if a == aux and m != main]
        return round(float(np.mean(gains)), 2) if gains else None

    def scores(self, pairs: Sequence[tuple[str, str]], features: Features) -> list[float]:
        """Return the scores of pairs (main, aux); above 0 a gain is predicted, and more is better.

        Raises:
            UserError: a task lacks a feature.
        """
        columns = self.table.columns
        names = list(dict.fromkeys(name for name, _ in columns))
        for task in sorted({task for pair in pairs for task in pair}):
            lacking = [n for n in names if not np.isfinite(features[task].get(n, np.nan))]
            if lacking:
                raise UserError(
                    f"task '{task}' lacks {', '.join(lacking)}, which the predictor looks at. A "
                    "longer single run may have them."
                )
        # Gains of 0: they are not known, and only the columns are looked at.
        table = make_table(dict.fromkeys(pairs, 0.0), features, names).in_columns(columns)
        for pair, row in zip(table.pairs(), table.values, strict=True):
            if not np.isfinite(row).all():
                column = columns[int(np.argmin(np.isfinite(row)))]
                raise UserError(
                    f"{pair[0]} with {pair[1]}: {' '.join(column)} is not finite, and the "
                    "predictor looks at it. A study with other features makes one that does not, "
                    "such as `mtl-bench study published --out <folder> final.set=curve`."
                )
        by_pair = dict(zip(table.pairs(), score(self.fitted, table.values), strict=True))
        return [float(by_pair[pair]) for pair in pairs]
