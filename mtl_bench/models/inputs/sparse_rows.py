"""Rows of a large table, with a gradient for the rows in use only."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class Lookup(torch.autograd.Function):
    """Rows of the embedding table, with a gradient for the rows in use only."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor, sparse: bool) -> Tensor:
        """Return [U, D] the rows `rows` [U], all different and ascending."""
        ctx.save_for_backward(rows)
        ctx.shape, ctx.sparse = table.shape, sparse
        return table.index_select(0, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the table: sparse, or dense."""
        (rows,) = ctx.saved_tensors
        (values,) = gradients
        if ctx.sparse:
            # `collate` makes rows unique and ascending: to sort them again would cost time.
            table = torch.sparse_coo_tensor(
                rows[None], values, ctx.shape, is_coalesced=True, check_invariants=False
            )
        else:
            table = values.new_zeros(ctx.shape).index_copy_(0, rows, values)
        return table, None, None
