"""Fast code for the training step on a CPU: the same results as torch's, but for rounding.

A process chooses once, by `use`, between loops in C++ and loops of torch operations.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from torch import Tensor, nn

from mtl_bench.models.inputs.batches import Batch
from mtl_bench.models.kernels.bilstm import two_directions
from mtl_bench.models.kernels.build import NotBuilt, build, compiler
from mtl_bench.models.kernels.library import AdadeltaOptions, Kernels

__all__ = ["AdadeltaOptions", "adadelta", "adadelta_rows", "bilstm", "compiler", "use"]

MODES = ("auto", "true", "false")

_compiled: Kernels | None = None
"""The compiled functions, if this process uses them; until `use` is called it does not."""


def use(mode: str | bool, accelerator: str = "cpu") -> Literal["compiled", "plain"]:
    """Choose the loops of this process.

    Args:
        mode: `auto`: compiled where a C++ compiler is, plain otherwise; `true`: the same, with a
            warning where they cannot be compiled; `false`: plain.
        accelerator: compiled loops are for `cpu` only.

    Returns:
        What was chosen, for the record.

    Raises:
        ValueError: there is no such mode.
    """
    global _compiled
    name = str(mode).lower()
    if name not in MODES:
        raise ValueError(f"compiled is {mode!r}; it is one of {', '.join(MODES)}.")
    _compiled = None
    if name != "false" and accelerator == "cpu":
        try:
            _compiled = _built()
        except NotBuilt as reason:
            if name == "true":
                warnings.warn(
                    f"trainer.compiled: {reason}. Training is slower, and the same but for "
                    "rounding. The loops are compiled by g++ or clang++ (`CXX` may name another), "
                    "into MTL_BENCH_CACHE.",
                    stacklevel=2,
                )
    return "compiled" if _compiled else "plain"


@cache
def _built() -> Kernels:
    """Return the compiled functions; a process loads them once, whatever it trains."""
    return build()


def bilstm(vectors: Tensor, lstm: nn.LSTM, batch: Batch) -> Tensor:
    """Return [N, 2H] what a bidirectional `nn.LSTM` of one layer returns, for tensors on the CPU.

    Args:
        vectors: [U, D] of the batch's different words.
        lstm: its second biases are redundant; they are zero, and not used.
        batch: the sentences.
    """
    return two_directions(vectors, lstm, batch, _compiled)


def adadelta(
    parameters: Sequence[Tensor], states: Sequence[Mapping[str, Any]], options: AdadeltaOptions
) -> bool:
    """Update whole parameters with their gradients, if that is compiled.

    Returns:
        Whether it was done.
    """
    if _compiled is None or any(parameter.device.type != "cpu" for parameter in parameters):
        return False
    for parameter, state in zip(parameters, states, strict=True):
        assert parameter.grad is not None  # its caller saw to it
        averages = state["square_avg"], state["acc_delta"]
        _compiled.adadelta(parameter, parameter.grad.contiguous(), averages, options)
    return True


def adadelta_rows(table: Tensor, state: Mapping[str, Any], options: AdadeltaOptions) -> bool:
    """Update the rows of a table that its sparse gradient names, if that is compiled.

    Returns:
        Whether it was done.
    """
    if _compiled is None or table.device.type != "cpu":
        return False
    assert table.grad is not None  # its caller saw to it
    gradient = table.grad._indices()[0], table.grad._values().contiguous()
    averages = state["square_avg"], state["acc_delta"], state["touched"]
    _compiled.adadelta_rows(table, gradient, averages, state["step"], options)
    return True
