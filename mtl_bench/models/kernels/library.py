"""The functions of `kernels.cpp`, once built: called with tensors on the CPU."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Direction(NamedTuple):
    """What a direction of the biLSTM works on; shapes as in `bilstm.py`.

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


class Steps(NamedTuple):
    """What the steps of a direction leave.

    Attributes:
        gates: [N, 4H] after their sigmoid or tanh.
        cells: [N, H].
        tanh_cells: [N, H] their tanh.
        states: [N, H].
    """

    gates: Tensor
    cells: Tensor
    tanh_cells: Tensor
    states: Tensor


class Gradients(NamedTuple):
    """Gradients of what a direction works on; shapes as there; they are added to.

    That of the vectors may be None: it is not computed then, which spares a large product.
    """

    vectors: Tensor | None
    inputs: Tensor
    recurrent: Tensor
    bias: Tensor


class AdadeltaOptions(NamedTuple):
    """Options of an update: see `LazyAdadelta`."""

    lr: float
    rho: float
    eps: float


class Kernels:
    """The functions of `kernels.cpp`, for tensors on the CPU of one floating type."""

    def __init__(self, library: Path) -> None:
        """Load a built library."""
        self._library = ctypes.CDLL(str(library))

    def forward(self, direction: Direction, steps: Steps) -> None:
        """Compute the steps of one direction; `steps` is filled."""
        self._call("forward", _Direction.of(direction), *steps)

    def backward(
        self, direction: Direction, steps: Steps, d_states: Tensor, gradients: Gradients
    ) -> None:
        """Compute the gradients of one direction.

        Args:
            direction: what it works on.
            steps: as `forward` left them.
            d_states: [N, H] gradients of the states; those from later steps are added.
            gradients: the others, which are added.
        """
        self._call("backward", _Direction.of(direction), *steps, d_states, *gradients)

    def adadelta(
        self,
        parameter: Tensor,
        gradient: Tensor,
        averages: tuple[Tensor, Tensor],
        options: AdadeltaOptions,
    ) -> None:
        """Update a parameter and the averages of squares and updates, all of one shape."""
        numbers = parameter, gradient, *averages
        self._call("adadelta", *numbers, parameter.numel(), *map(float, options))

    def adadelta_rows(
        self,
        table: Tensor,
        gradient: tuple[Tensor, Tensor],
        averages: tuple[Tensor, Tensor, Tensor],
        step: int,
        options: AdadeltaOptions,
    ) -> None:
        """Update rows of a table [V, D] and of its averages.

        Args:
            table: [V, D].
            gradient: the rows [R], int64 and all different, and their gradients [R, D].
            averages: [V, D] of squares, [V, D] of updates, and [V] the step in which each row was
                updated last, which is brought up to `step`.
            step: number of this update, from 1.
            options: of the update.
        """
        sizes = len(gradient[0]), table.shape[1], step
        self._call("adadelta_rows", table, *gradient, *averages, *sizes, *map(float, options))

    def _call(self, name: str, *values: _Direction | Tensor | int | float | None) -> None:
        arguments: list[Any] = []
        dtypes = set()
        for value in values:
            if isinstance(value, Tensor):
                arguments.append(_pointer(value))
                dtypes.add(value.dtype)
            elif value is None:
                arguments.append(ctypes.c_void_p(None))
            elif isinstance(value, _Direction):
                arguments.append(ctypes.byref(value))
            elif isinstance(value, int):
                arguments.append(ctypes.c_int64(value))
            else:
                arguments.append(ctypes.c_double(value))
        # Kernels are compiled for float and for double: mixed types would be read as garbage.
        (dtype,) = dtypes - {torch.int64}  # one, or this raises
        getattr(self._library, f"{name}_{SUFFIXES[dtype]}")(*arguments)


class _Direction(ctypes.Structure):
    """`Direction` as `kernels.cpp` has it."""

    # The order of the struct in kernels.cpp, which ctypes cannot compare.
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
