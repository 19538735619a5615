"""What a yaml may name as code: classes of known packages, and of modules that the user trusts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import FunctionType
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mtl_bench.errors import UserError

VARIABLE = "MTL_BENCH_TRUST"
PACKAGES = ("mtl_bench", "torch.optim", "sklearn", "pytorch_lightning.loggers")
"""Whose classes are made without being asked: to make one runs nothing that harms."""

FUNCTIONS = ("sklearn.pipeline.make_pipeline", "sklearn.compose.make_column_transformer")
"""That make instances of the packages' classes."""

ESTIMATORS = "mtl_bench.estimators"
"""Functions that its modules define may be named: they take `Pilots`, and return scores."""


def check_path(path: str, what: str) -> None:
    """Check that a dotted path lies in PACKAGES or in a module that MTL_BENCH_TRUST names.

    Raises:
        UserError: it is code of others.
    """
    if not _is_below(path, (*PACKAGES, *_trusted_modules())):
        raise _untrusted(path, what)


def trusted(target: object, what: str) -> Any:
    """Return what a dotted path names, if it may be used.

    Args:
        target: a class of PACKAGES, or anything of a module in MTL_BENCH_TRUST (names with commas
            between; those below a package are included).
        what: has it, for errors, such as `task 'ner': its reader`.

    Raises:
        UserError: it is code of others; nothing of it was imported.
        ImportError: there is no such module.
        AttributeError: the module has no such name.
    """
    path = str(target)
    check_path(path, what)
    value = named(path)
    # What a module of ours has imported from elsewhere is not ours, and functions may do anything.
    if (
        _is_below(path, _trusted_modules())
        or path in FUNCTIONS
        or _is_estimator(path, value)
        or (isinstance(value, type) and _is_below(f"{value.__module__}.", PACKAGES))
    ):
        return value
    raise _untrusted(path, what)


def named(path: str) -> Any:
    """Return what a dotted path names; Hydra's own function logs lines of a traceback besides.

    Raises:
        ImportError: there is no such module.
        AttributeError: the module has no such name.
        ValueError: the path has no module.
    """
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _trusted_modules() -> list[str]:
    return [each.strip() for each in os.environ.get(VARIABLE, "").split(",") if each.strip()]


def _untrusted(path: str, what: str) -> UserError:
    modules = ",".join([*_trusted_modules(), path.rpartition(".")[0] or path])
    return UserError(
        f"{what} is '{path}', which is no class of {', '.join(PACKAGES)}. To use it is to run it: "
        f"if you trust it, name its module once, `export {VARIABLE}={modules}`."
    )


def _is_estimator(path: str, value: object) -> bool:
    module = path.rpartition(".")[0]
    return (
        module.rpartition(".")[0] == ESTIMATORS
        and isinstance(value, FunctionType)
        and value.__module__ == module
    )


def _is_below(path: str, packages: Iterable[str]) -> bool:
    return any(path.startswith(f"{package}.") for package in packages)


def check_targets(node: Any, what: str) -> None:
    """Check each `_target_` of a configuration, those inside of options as well.

    Raises:
        UserError: one may not be used.
        InstantiationException: one cannot be imported.
    """
    if isinstance(node, str) and "${" in node:
        raise UserError(f"{what} has the option '{node[:80]}', which is not resolved further.")
    if isinstance(node, Mapping):
        if "_target_" in node:
            try:
                trusted(node["_target_"], what)
            except (ImportError, AttributeError, ValueError) as error:
                # Hydra would look further: `mtl_bench.files.os.system` is something to it.
                raise InstantiationException(
                    f"'{node['_target_']}' cannot be imported: {error}"
                ) from error
        node = list(node.values())
    if isinstance(node, list | tuple):
        for each in node:
            check_targets(each, what)


def make(node: Mapping[str, Any], what: str, **arguments: Any) -> Any:
    """Return what a configuration's `_target_` and options make.

    Args:
        node: of a yaml.
        what: it is, for errors.
        arguments: further options, and those of Hydra's `instantiate`.

    Raises:
        UserError: it names code that may not be used.
        InstantiationException: the options do not fit.
    """
    # Resolved first: an interpolation can make a node with a `_target_` of its own.
    plain = OmegaConf.to_container(OmegaConf.create(dict(node)), resolve=True)
    check_targets(plain, what)
    return instantiate(plain, **arguments)
