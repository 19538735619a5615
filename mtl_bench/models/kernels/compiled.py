"""Builds and calls `kernels.cpp`: the inner loops of the training step, once a machine.

It takes a C++ compiler (GCC or Clang) and a second or two; the result is kept in the cache.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mtl_bench.files import cache_folder

SOURCE = Path(__file__).with_name("kernels.cpp")
COMPILE = ["-std=c++17", "-O3", "-march=native", "-ffast-math", "-fPIC", "-c"]
LINK = ["-shared"]  # without fast-math, which would change how the whole process rounds


class Direction(NamedTuple):
    """What a direction of the biLSTM works on; shapes as in `encoders.bilstm`.

    Attributes:
        vectors: [U, D] of the different words.
        words: [N] int64, which of them each row is.
        inputs: [4H, D] weights.
        recurrent: [4H, H] weights.
        bias: [4H].
        sizes: [T] int64, sentences that reach each step.
    """

    vectors: Tensor
    words: Tensor
    inputs: Tensor
    recurrent: Tensor
    bias: Tensor
    sizes: Tensor


class Kernels:
    """The functions of `kernels.cpp`, for tensors on the CPU of one floating type."""

    def __init__(self, library: Path) -> None:
        """Load a built library."""
        self._library = ctypes.CDLL(str(library))

    def forward(
        self, direction: Direction, gates: Tensor, cells: Tensor, squashed: Tensor, states: Tensor
    ) -> None:
        """Go through the steps of one direction.

        Args:
            direction: what it works on.
            gates: [N, 4H] filled.
            cells: [N, H] filled.
            squashed: [N, H] filled with the tanh of the cells.
            states: [N, H] filled.
        """
        self._call("forward", _Direction.of(direction), gates, cells, squashed, states)

    def backward(
        self,
        direction: Direction,
        gates: Tensor,
        cells: Tensor,
        squashed: Tensor,
        states: Tensor,
        d_states: Tensor,
        d_vectors: Tensor,
        d_inputs: Tensor,
        d_recurrent: Tensor,
        d_bias: Tensor,
    ) -> None:
        """Go back through the steps of one direction.

        Args:
            direction: what it works on.
            gates: as `forward` left them, like the next three.
            cells: [N, H].
            squashed: [N, H].
            states: [N, H].
            d_states: [N, H] gradients of the states; those from later steps are added.
            d_vectors: [U, D] to which the gradients are added, as to the next three.
            d_inputs: [4H, D].
            d_recurrent: [4H, H].
            d_bias: [4H].
        """
        filled = gates, cells, squashed, states
        gradients = d_states, d_vectors, d_inputs, d_recurrent, d_bias
        self._call("backward", _Direction.of(direction), *filled, *gradients)

    def adadelta(
        self,
        parameter: Tensor,
        gradient: Tensor,
        square: Tensor,
        delta: Tensor,
        lr: float,
        rho: float,
        eps: float,
    ) -> None:
        """Update a parameter and its two accumulators, all of one shape."""
        numbers = parameter, gradient, square, delta
        options = float(lr), float(rho), float(eps)
        self._call("adadelta", *numbers, parameter.numel(), *options)

    def adadelta_rows(
        self,
        table: Tensor,
        rows: Tensor,
        gradient: Tensor,
        square: Tensor,
        delta: Tensor,
        touched: Tensor,
        step: int,
        lr: float,
        rho: float,
        eps: float,
    ) -> None:
        """Update rows of a table [V, D] and of its accumulators.

        Args:
            table: [V, D].
            rows: [R] int64, all different.
            gradient: [R, D] of the rows.
            square: [V, D].
            delta: [V, D].
            touched: [V] the step in which each row was updated last; brought up to `step`.
            step: number of this update, from 1.
            lr: see `LazyAdadelta`, like the next two.
            rho: decay.
            eps: added to both accumulators.
        """
        numbers = table, rows, gradient, square, delta, touched
        options = float(lr), float(rho), float(eps)
        self._call("adadelta_rows", *numbers, len(rows), table.shape[1], step, *options)

    def _call(self, name: str, *values: _Direction | Tensor | int | float) -> None:
        arguments: list[Any] = []
        kinds = set()
        for value in values:
            if isinstance(value, Tensor):
                arguments.append(_pointer(value))
                kinds.add(value.dtype)
            elif isinstance(value, _Direction):
                arguments.append(ctypes.byref(value))
            elif isinstance(value, int):
                arguments.append(ctypes.c_int64(value))
            else:
                arguments.append(ctypes.c_double(value))
        (kind,) = kinds - {torch.int64}  # one, or this raises
        getattr(self._library, f"{name}_{SUFFIXES[kind]}")(*arguments)


class _Direction(ctypes.Structure):
    """`Direction` as `kernels.cpp` has it."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in Direction._fields),
        *((name, ctypes.c_int64) for name in ("count", "dim", "hidden", "steps")),
    )

    @classmethod
    def of(cls, direction: Direction) -> _Direction:
        shapes = *direction.vectors.shape, direction.recurrent.shape[1], len(direction.sizes)
        return cls(*map(_pointer, direction), *shapes)


def _pointer(tensor: Tensor) -> ctypes.c_void_p:
    if not tensor.is_contiguous() or tensor.device.type != "cpu":
        raise ValueError("compiled functions take contiguous tensors on the CPU.")
    return ctypes.c_void_p(tensor.data_ptr())


SUFFIXES = {torch.float32: "float", torch.float64: "double"}


def compiler() -> list[str] | None:
    """Return the command that compiles C++ (`CXX`, else `c++`), or None where there is none."""
    command = shlex.split(os.environ.get("CXX") or "c++")
    return command if command and shutil.which(command[0]) else None


@cache
def kernels() -> Kernels | None:
    """Return the compiled functions, or None with a warning where they cannot be built."""
    command = compiler()
    if command is None:
        _warn(f"there is no C++ compiler: `{os.environ.get('CXX') or 'c++'}` is no program")
        return None
    try:
        # A cache may be shared by machines, whose processors differ: `native` is another one there.
        macros = [*command, "-march=native", "-E", "-dM", "-x", "c++", os.devnull]
        native = subprocess.run(macros, capture_output=True, check=True).stdout
        key = hashlib.sha256(SOURCE.read_bytes() + repr((COMPILE, LINK)).encode() + native)
        library = cache_folder() / "kernels" / f"{platform.system()}-{key.hexdigest()[:16]}.so"
        if library.exists():
            with suppress(OSError):  # damaged: it is built once more
                return Kernels(library)
        _build(command, library)
        return Kernels(library)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").splitlines()
        _warn(next((line for line in lines if "error" in line), f"`{shlex.join(command)}` failed"))
    except OSError as error:
        _warn(f"`{shlex.join(command)}`: {error}")
    return None


def _build(compiler: list[str], library: Path) -> None:
    """Compile; the library gets its name when it can be loaded, and in one go.

    Other processes may build it at the same time.
    """
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        part, whole = Path(folder) / "kernels.o", Path(folder) / "kernels.so"
        for command in (
            [*compiler, *COMPILE, str(SOURCE), "-o", str(part)],
            [*compiler, *LINK, str(part), "-o", str(whole)],
        ):
            subprocess.run(command, check=True, capture_output=True)
        Kernels(whole)
        whole.replace(library)


def _warn(reason: str) -> None:
    warnings.warn(
        f"trainer.compiled: {reason}. Training is slower, and the same but for rounding. The loops "
        "are compiled by g++ or clang++ (`CXX` may name another), into MTL_BENCH_CACHE.",
        stacklevel=2,
    )
