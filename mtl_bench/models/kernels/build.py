"""Builds `kernels.cpp`, once a machine; kept in the cache by its content and the processor.

It takes a C++ compiler (GCC or Clang) and a second or two.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from mtl_bench.files import cached_path, write_atomically
from mtl_bench.models.kernels.library import Kernels

SOURCE = Path(__file__).with_name("kernels.cpp")
# NaN stays NaN: a run that diverges is to be seen.
FAST_MATH = ["-ffast-math", "-fno-finite-math-only"]
COMPILE = ["-std=c++17", "-O3", "-march=native", *FAST_MATH, "-fPIC", "-c"]
LINK = ["-shared"]  # without fast-math, which would change how the whole process rounds


def compiler() -> list[str] | None:
    """Return the command that compiles C++ (`CXX`, else `c++`), or None where there is none."""
    command = shlex.split(os.environ.get("CXX") or "c++")
    return command if command and shutil.which(command[0]) else None


class NotBuilt(Exception):
    """The functions cannot be built; says why."""


def build() -> Kernels:
    """Return the compiled functions, from the cache if they were built before.

    Raises:
        NotBuilt: there is no compiler, it fails, or the cache cannot be written.
    """
    command = compiler()
    if command is None:
        name = os.environ.get("CXX") or "c++"
        raise NotBuilt(f"there is no C++ compiler: `{name}` is no program")
    try:
        # A cache may be shared by machines, whose processors differ: `native` is another one there.
        macros = [*command, "-march=native", "-E", "-dM", "-x", "c++", os.devnull]
        native = subprocess.run(macros, capture_output=True, check=True).stdout
        inputs = (SOURCE.read_bytes(), COMPILE, LINK, native)
        library = cached_path("kernels", platform.system(), *inputs).with_suffix(".so")
        if library.exists():
            with suppress(OSError):  # damaged: it is built once more
                return Kernels(library)
        _compile(command, library)
        return Kernels(library)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").splitlines()
        reason = next((x for x in lines if "error" in x), f"`{shlex.join(command)}` failed")
        raise NotBuilt(reason) from error
    except OSError as error:
        raise NotBuilt(f"`{shlex.join(command)}`: {error}") from error


def _compile(compiler: list[str], library: Path) -> None:
    """Compile; the library gets its name when it can be loaded, and in one go.

    Other processes may build it at the same time.
    """
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        print(f"note: compiling kernels (once; kept in {library.parent})", file=sys.stderr)
        object_file, whole = Path(folder) / "kernels.o", Path(folder) / "kernels.so"
        for command in (
            [*compiler, *COMPILE, str(SOURCE), "-o", str(object_file)],
            [*compiler, *LINK, str(object_file), "-o", str(whole)],
        ):
            subprocess.run(command, check=True, capture_output=True)
        Kernels(whole)
        # Not renamed: a library that a power cut has cut short ends the process that loads it.
        write_atomically(library, whole.read_bytes())
