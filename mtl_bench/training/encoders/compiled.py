"""Builds and loads the compiled loop of the biLSTM: once a machine, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

import torch

from mtl_bench.tasks.fetch import cache_folder

SOURCE = Path(__file__).with_name("two_directions.cpp")
FLAGS = ["-O3", "-march=native", "-ffast-math"]


@cache
def kernel() -> ModuleType | None:
    """Return the compiled loop, or None with a warning where it cannot be built."""
    if shutil.which(os.environ.get("CXX", "c++")) is None:
        _warn("there is no C++ compiler")
        return None
    key = hashlib.sha256(f"{torch.__version__} {FLAGS}".encode() + SOURCE.read_bytes())
    folder = cache_folder() / "kernels" / key.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        from torch.utils.cpp_extension import load

        with _own_programs():
            module: ModuleType = load(
                "two_directions", [str(SOURCE)], extra_cflags=FLAGS, build_directory=str(folder)
            )
    except (RuntimeError, OSError, ImportError) as error:
        lines = str(error).splitlines()
        _warn(next((line for line in lines if "error:" in line), lines[0]))
        return None
    return module


@contextmanager
def _own_programs() -> Iterator[None]:
    """Let programs of this environment be found (ninja), also where it is not activated."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    try:
        yield
    finally:
        os.environ["PATH"] = path


def _warn(reason: str) -> None:
    warnings.warn(
        f"the biLSTM is not compiled ({reason}); training is slower, and the same but for "
        "rounding. It takes a C++ compiler, Python's headers and `pip install "
        "'mtl-bench[compiled]'`.",
        stacklevel=2,
    )
