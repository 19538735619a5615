"""A predictor as plain data: the table that it learned from and how it is made, never a pickle.

`predictor.json` is read by fitting it again, which gives the same predictions; those of the table
stand in the file, and are compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from sklearn.pipeline import Pipeline

from mtl_bench.analysis.features.pair_table import Table, make_table
from mtl_bench.analysis.predictors.fitting import fit, score
from mtl_bench.analysis.predictors.predictor import Features, Predictor
from mtl_bench.analysis.predictors.trusted import check_estimators, trusted_family
from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.seal import DAMAGE

SCHEMA_VERSION = 3
DAMAGED = (*DAMAGE, InstantiationException)
REMEDY = "Make it again with `mtl-bench study`."


@dataclass(frozen=True)
class Recipe:
    """How a predictor is made.

    Attributes:
        predictor: its configuration, as in `conf/predictor/`.
        families: configurations of the features, as in `conf/features/`.
        metric: that gains are of; None for each task's primary one.
        loss_over: what the losses of its curve features are means over.
    """

    predictor: Mapping[str, Any]
    families: Mapping[str, Any]
    metric: str | None = None
    loss_over: str = "words"


def save(file: Path, table: Table, features: Features, recipe: Recipe) -> None:
    """Fit a predictor to a table with the columns that it is to look at, and write it."""
    fitted = fit(instantiate(recipe.predictor, _convert_="all"), table)
    names = list(dict.fromkeys(name for name, _ in table.columns))
    last = fitted.steps[-1][1] if isinstance(fitted, Pipeline) else fitted
    coefficients = getattr(last, "coef_", None)
    scores = score(fitted, table.values).tolist()
    content = {
        "schema_version": SCHEMA_VERSION,
        "metric": recipe.metric,
        "loss_over": recipe.loss_over,
        "predictor": dict(recipe.predictor),
        "families": dict(recipe.families),
        "columns": table.columns,
        "features": {t: {n: of[n] for n in names} for t, of in sorted(features.items())},
        "pairs": [
            {"main": m, "aux": a, "gain": g, "score": s}
            for (m, a), g, s in zip(table.pairs(), table.gain.tolist(), scores, strict=True)
        ],
        "coefficients": None if coefficients is None else np.ravel(coefficients).tolist(),
        "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    }
    write_atomically(file, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def load(file: Path) -> Predictor:
    """Return the predictor of a file, fitted again.

    Raises:
        UserError: the file is missing, damaged, of another schema, names code that is not
            scikit-learn's or ours, or the fit predicts something else than it did.
    """
    content = _parse(file)
    try:
        check_estimators(content["predictor"], file)
        families = {name: trusted_family(c, file) for name, c in content["families"].items()}
        table = _table(content)
        fitted = fit(instantiate(content["predictor"], _convert_="all"), table)
        _verify(content, table, score(fitted, table.values).tolist(), file)
        return Predictor(fitted, table, families, content["metric"], content["loss_over"])
    except DAMAGED as error:
        raise _damaged(file, error) from None


def _parse(file: Path) -> dict[str, Any]:
    """Return the content of a file of our schema."""
    try:
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        version = content["schema_version"]
    except FileNotFoundError:
        raise UserError(
            f"{file}: there is no such file. `mtl-bench study` writes one where pairs can be "
            "predicted, and says why where they cannot."
        ) from None
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}.") from None
    except DAMAGED as error:
        raise _damaged(file, error) from None
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{file}: has schema version {version}, expected {SCHEMA_VERSION}. {REMEDY}"
        )
    return content


def _table(content: Mapping[str, Any]) -> Table:
    """Return the table that a predictor learned from."""
    columns = [(feature, role) for feature, role in content["columns"]]
    names = list(dict.fromkeys(feature for feature, _ in columns))
    gains = {(each["main"], each["aux"]): float(each["gain"]) for each in content["pairs"]}
    return make_table(gains, content["features"], names).in_columns(columns)


def _verify(content: Mapping[str, Any], table: Table, scores: list[float], file: Path) -> None:
    """Raise an error if the predictor now scores pairs otherwise than when it was written."""
    before = {(each["main"], each["aux"]): float(each["score"]) for each in content["pairs"]}
    # Solvers of other versions may differ in the last digits.
    if not np.allclose(scores, [before[pair] for pair in table.pairs()], rtol=1e-6, atol=1e-9):
        raise UserError(
            f"{file}: predicts something else than when it was made, with "
            f"{content.get('versions')}; here scikit-learn is {sklearn.__version__}. {REMEDY}"
        )


def _damaged(file: Path, error: Exception) -> UserError:
    return UserError(
        f"{file}: is not a predictor, or is damaged ({type(error).__name__}: {error}). {REMEDY}"
    )
