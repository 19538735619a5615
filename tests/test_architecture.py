"""Imports run one way: train.py -> compose, training -> text -> tasks; training -> runs."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mtl_bench"

# What a folder may import of the package's other folders and modules.
ALLOWED = {
    "tasks": {"errors"},
    "text": {"errors", "tasks"},
    "runs": {"errors"},
    "training": {"errors", "tasks", "text", "runs", "compose", "identity", "schema"},
    "schema": {"errors", "tasks"},
    "identity": {"runs", "tasks", "text"},
    "compose": {"errors", "tasks", "text", "identity", "schema"},
    "answers": {"errors", "compose"},
    "job": {"errors", "compose", "identity", "schema", "answers", "training", "sweep", "runs"},
    "sweep": {"errors", "runs", "compose", "identity", "schema", "tasks", "training"},
    "meta": {"errors", "runs", "published"},
    "report": {"errors", "runs", "published", "meta"},
    "closing": {"runs", "compose"},
    "callbacks": {"commands", "runs", "errors", "closing"},
    "published": set(),
    "application": {"answers", "compose", "job"},
    "commands": {
        *("errors", "runs", "compose", "tasks", "text", "published", "meta", "report"),
        "application",
    },
    "cli": {"errors", "commands"},
    "__main__": {"cli"},
    "errors": set(),
    "__init__": set(),
}


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_file_imports_only_what_lies_below_it(file):
    inner = {name.split(".")[1] for name in imports(file) if name.startswith("mtl_bench.")}
    assert inner - {room(file)} <= ALLOWED[room(file)] | {"errors"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_records_need_the_standard_library_only(file):
    if room(file) == "runs":
        outer = {name.split(".")[0] for name in imports(file)} - {"mtl_bench"}
        assert outer <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_below_the_run_nothing_knows_a_configuration(file):
    if room(file) in ("tasks", "text", "runs", "training") and file.name not in (
        "run.py",
        "build.py",
    ):
        assert not {n for n in imports(file) if n.split(".")[0] == "omegaconf"}
