"""Imports run one way; the layers are those of docs/architecture.md."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mtl_bench"

# What a folder or module may import directly; whatever that may import is allowed as well.
BELOW = {
    "errors": (),
    "files": ("errors",),
    "compressed": ("errors",),
    "trust": ("errors",),
    "tasks": ("files", "compressed", "trust"),
    "text": ("tasks",),
    "models": ("text",),
    "runs": ("files", "compressed"),
    "config": ("tasks", "text", "runs"),
    "training": ("models", "config", "runs"),
    "sweeps": ("training",),
    "estimators": ("training", "analysis"),
    "analysis": ("runs", "trust"),
    "paper": ("analysis",),
    "report": ("analysis",),
    "commands": ("report", "paper", "sweeps", "estimators"),
    "__init__": ("commands",),
    "__main__": ("commands",),
}
TRAINS = {"torch", "pytorch_lightning", "lightning_fabric", "torchmetrics"}
LIGHT = {"filelock", "platformdirs"}
FILES = sorted(PACKAGE.rglob("*.py"))


def all_below(name):
    return set(BELOW[name]).union(*(all_below(lower) for lower in BELOW[name]))


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def layer(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer_of(name):
    inner = name.split(".")[1]
    return inner if inner in BELOW else "__init__"  # `from mtl_bench import train`


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_file_imports_only_what_lies_below_it(file):
    own = layer(file)
    inner = {layer_of(name) for name in imports(file) if name.startswith("mtl_bench.")}
    assert inner - {own} <= all_below(own)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_what_reads_records_never_imports_what_trains(file):
    outer = {name.split(".")[0] for name in imports(file)}
    if layer(file) in ("tasks", "text", "runs", "analysis", "paper", "report"):
        assert not outer & TRAINS
    if layer(file) in ("runs", "files", "compressed", "errors"):  # any tool can read records
        assert outer - {"mtl_bench", *LIGHT} <= set(sys.stdlib_module_names)


def test_modules_import_one_another_without_cycles():
    modules = {
        ".".join(("mtl_bench", *file.relative_to(PACKAGE).with_suffix("").parts)): file
        for file in FILES
    }
    imported = {
        module: {
            other
            for name in imports(file)
            for other in (name, name.rpartition(".")[0])
            if other in modules and other != module
        }
        for module, file in modules.items()
    }
    while leaves := [module for module, others in imported.items() if not others]:
        imported = {m: o - set(leaves) for m, o in imported.items() if m not in leaves}
    assert not imported
