"""A predictor as plain data: the table that it learned from and how it is made, never a pickle.

`predictor.json` is read by fitting it again, which gives the same predictions; those of the table
stand in the file, and are compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from hydra.errors import InstantiationException
from hydra.utils import get_class, get_method, instantiate
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from mtl_bench.analysis.data.single_runs import Family
from mtl_bench.analysis.features.pair_table import Table, make_table
from mtl_bench.analysis.predictors.fitting import fit, score
from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically

SCHEMA_VERSION = 1
TRUSTED = re.compile(r"(sklearn|mtl_bench)(\.[A-Za-z_]\w*)+")
FAMILY = re.compile(r"mtl_bench\.analysis\.features(\.[A-Za-z_]\w*)+")
DAMAGED = (ValueError, KeyError, TypeError, AttributeError, InstantiationException)
MAKERS = ("sklearn.pipeline.make_pipeline", "sklearn.compose.make_column_transformer")

Features = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Predictor:
    """A fitted predictor of gains.

    Attributes:
        columns: (feature, role) that it looks at.
        fitted: a scikit-learn estimator.
        table: what it learned from.
        families: what makes the features, by name.
        metric: whose gains it learned.
    """

    columns: Sequence[tuple[str, str]]
    fitted: BaseEstimator
    table: Table
    families: Mapping[str, Family]
    metric: str

    def record(self, main: str, aux: str) -> float | None:
        """Return the mean gain (percent) that an auxiliary gave others in the study, if any."""
        pairs = zip(self.table.pairs(), self.table.gain, strict=True)
        own = [gain for (m, a), gain in pairs if a == aux and m != main]
        return round(float(np.mean(own)), 2) if own else None

    def scores(self, pairs: Sequence[tuple[str, str]], features: Features) -> list[float]:
        """Return what it says of pairs (main, aux); above 0 is "gain", and more is better.

        Raises:
            UserError: a task lacks a feature.
        """
        names = list(dict.fromkeys(name for name, _ in self.columns))
        for task in sorted({task for pair in pairs for task in pair}):
            lacks = [n for n in names if not np.isfinite(features[task].get(n, np.nan))]
            if lacks:
                raise UserError(
                    f"task '{task}' lacks {', '.join(lacks)}, which the predictor looks at. A "
                    "longer single run may have them."
                )
        some = make_table(dict.fromkeys(pairs, 0.0), features, names)
        chosen = [some.columns.index(column) for column in self.columns]
        some = some.replaced(self.columns, some.values[:, chosen])
        for row, pair in enumerate(some.pairs()):
            if not np.isfinite(some.values[row]).all():
                bad = int(np.argmin(np.isfinite(some.values[row])))
                raise UserError(
                    f"{pair[0]} with {pair[1]}: {' '.join(self.columns[bad])} is not finite, and "
                    "the predictor looks at it. A study with other features makes one that does "
                    "not, such as `mtl-bench study published --out <folder> final.set=curve`."
                )
        found = dict(zip(some.pairs(), score(self.fitted, some.values), strict=True))
        return [float(found[pair]) for pair in pairs]


def save(
    file: Path,
    table: Table,
    features: Features,
    config: Mapping[str, Any],
    families: Mapping[str, Any],
    metric: str,
) -> None:
    """Fit a predictor to a table, and write it.

    Args:
        file: to write.
        table: with the columns that it is to look at.
        features: of the tasks.
        config: of the predictor, as in `conf/predictor/`.
        families: configurations of the features, as in `conf/features/`.
        metric: that gains are of.
    """
    fitted = fit(instantiate(config, _convert_="all"), table)
    names = list(dict.fromkeys(name for name, _ in table.columns))
    last = fitted.steps[-1][1] if isinstance(fitted, Pipeline) else fitted
    linear = getattr(last, "coef_", None)
    scores = score(fitted, table.values).tolist()
    content = {
        "schema_version": SCHEMA_VERSION,
        "metric": metric,
        "predictor": dict(config),
        "families": dict(families),
        "columns": table.columns,
        "features": {t: {n: of[n] for n in names} for t, of in sorted(features.items())},
        "pairs": [
            {"main": m, "aux": a, "gain": g, "score": s}
            for (m, a), g, s in zip(table.pairs(), table.gain.tolist(), scores, strict=True)
        ],
        "coefficients": None if linear is None else np.ravel(linear).tolist(),
        "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomically(file, text)


def load(file: Path) -> Predictor:
    """Return the predictor of a file, fitted again.

    Raises:
        UserError: the file is missing, damaged, of another schema, names code that is not
            scikit-learn's or ours, or the fit says something else than it did.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
        if content["schema_version"] != SCHEMA_VERSION:
            raise UserError(
                f"{file}: has schema version {content['schema_version']}, expected "
                f"{SCHEMA_VERSION}. Make it again with `mtl-bench study`."
            )
        _check_targets(content["predictor"], file)
        families = {name: _family(config, file) for name, config in content["families"].items()}
        pairs = content["pairs"]
        columns = [(feature, role) for feature, role in content["columns"]]
        names = list(dict.fromkeys(feature for feature, _ in columns))
        gains = {(each["main"], each["aux"]): float(each["gain"]) for each in pairs}
        before = {(each["main"], each["aux"]): float(each["score"]) for each in pairs}
        table = make_table(gains, content["features"], names)
        chosen = [table.columns.index(column) for column in columns]
        table = table.replaced(columns, table.values[:, chosen])
        fitted = fit(instantiate(content["predictor"], _convert_="all"), table)
        now = dict(zip(table.pairs(), score(fitted, table.values), strict=True))
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}.") from None
    except DAMAGED as error:
        raise UserError(
            f"{file}: is not a predictor, or is damaged ({type(error).__name__}: {error}). Make it "
            "again with `mtl-bench study`."
        ) from None
    if not all(np.isclose(now[pair], before[pair], rtol=1e-6, atol=1e-9) for pair in now):
        raise UserError(
            f"{file}: says something else than when it was made, with {content.get('versions')}; "
            f"here scikit-learn is {sklearn.__version__}. Make it again with `mtl-bench study`."
        )
    return Predictor(columns, fitted, table, families, str(content.get("metric", "f1")))


def _family(config: Mapping[str, Any], file: Path) -> Family:
    """Return a family of features.

    Raises:
        UserError: it is not one of ours.
    """
    target = str(config.get("_target_"))
    nested = json.dumps({name: value for name, value in config.items() if name != "_target_"})
    if not FAMILY.fullmatch(target) or "_target_" in nested or not _is_ours(target):
        raise UserError(
            f"{file}: has features of '{target}'. Those of a predictor that is read from a file "
            "are classes of mtl_bench.analysis.features, with plain options."
        )
    family: Family = instantiate(config)
    return family


def _is_ours(target: str) -> bool:
    """Return whether a target is a class that a module of our features defines."""
    try:
        found = get_class(target)
    except (ImportError, ValueError):
        return False
    return found.__module__.startswith("mtl_bench.analysis.features.") and hasattr(found, "names")


def _check_targets(node: Any, file: Path) -> None:
    """Raise an error if a configuration names code other than estimators: a file is no program."""
    if isinstance(node, Mapping):
        target = node.get("_target_")
        if target is not None and not _is_estimator(str(target)):
            raise UserError(
                f"{file}: names '{target}'. A predictor's parts are estimators of scikit-learn or "
                "of mtl_bench."
            )
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            _check_targets(each, file)


def _is_estimator(target: str) -> bool:
    if target in MAKERS:
        return callable(get_method(target))
    if not TRUSTED.fullmatch(target):
        return False
    try:
        return issubclass(get_class(target), BaseEstimator)
    except (ImportError, ValueError):
        return False
