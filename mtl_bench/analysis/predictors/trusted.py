"""What a predictor's file may name: a file is data, and starts no code but estimators."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.utils import get_class, get_method, instantiate
from sklearn.base import BaseEstimator

from mtl_bench.analysis.data.single_runs import Family
from mtl_bench.errors import UserError

PACKAGES = re.compile(r"(sklearn|mtl_bench)(\.[A-Za-z_]\w*)+")
FEATURES = re.compile(r"mtl_bench\.analysis\.features(\.[A-Za-z_]\w*)+")
MAKERS = ("sklearn.pipeline.make_pipeline", "sklearn.compose.make_column_transformer")


def check_estimators(node: Any, file: Path) -> None:
    """Raise an error if a configuration names code other than estimators.

    Raises:
        UserError: it does.
    """
    if isinstance(node, str) and "${" in node:  # Hydra would resolve it to anything
        raise UserError(f"{file}: holds '{node[:80]}'. A predictor's options are plain values.")
    if isinstance(node, Mapping):
        if "memory" in node:  # a folder of pickles, which joblib loads
            raise UserError(f"{file}: names a folder of cached results, which is not read.")
        target = node.get("_target_")
        if target is not None and not _is_estimator(str(target)):
            raise UserError(
                f"{file}: names '{target}'. A predictor's parts are estimators of scikit-learn or "
                "of mtl_bench."
            )
        node = [*node, *node.values()]
    if isinstance(node, list):
        for each in node:
            check_estimators(each, file)


def trusted_family(config: Mapping[str, Any], file: Path) -> Family:
    """Return a family of features.

    Raises:
        UserError: it is not one of ours.
    """
    check_estimators({name: each for name, each in config.items() if name != "_target_"}, file)
    target = str(config.get("_target_"))
    options = json.dumps({name: value for name, value in config.items() if name != "_target_"})
    # Hydra instantiates targets inside of options as well, so that none may be there.
    if not FEATURES.fullmatch(target) or "_target_" in options or not _is_family(target):
        raise UserError(
            f"{file}: has features of '{target}'. Those of a predictor that is read from a file "
            "are classes of mtl_bench.analysis.features, with options that are plain values."
        )
    family: Family = instantiate(config)
    return family


def _is_family(target: str) -> bool:
    """Return whether a target is a class that a module of our features defines."""
    try:
        of_target = get_class(target)
    except (ImportError, ValueError):
        return False
    home = "mtl_bench.analysis.features."
    return of_target.__module__.startswith(home) and hasattr(of_target, "names")


def _is_estimator(target: str) -> bool:
    # Hydra imports and calls whatever a target names, so that only estimators may pass.
    if target in MAKERS:
        return callable(get_method(target))
    if not PACKAGES.fullmatch(target):
        return False
    try:
        return issubclass(get_class(target), BaseEstimator)
    except (ImportError, ValueError):
        return False
