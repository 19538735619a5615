"""Adadelta (Zeiler, 2012) whose cost for an embedding table is that of the rows in use.

A row with zero gradient does not move; both of its accumulators are multiplied by rho. So a row
that was last touched at step s is brought up to date at step t by rho^(t - 1 - s): the result of
the dense optimiser, without visiting the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class LazyAdadelta(torch.optim.Adadelta):
    """`torch.optim.Adadelta` that also takes sparse gradients, and treats them exactly.

    Parameters with a sparse gradient must get one at every step in which the dense optimiser
    would get one; their rows may differ each time.
    """

    takes_sparse_gradients = True

    def __init__(
        self, params: Iterable[Any], lr: float, rho: float = 0.95, eps: float = 1e-8
    ) -> None:
        """Store the options.

        Args:
            params: parameters, as for any torch optimizer.
            lr: factor on the update (Zeiler's text has none, that is 1).
            rho: decay of both accumulators, between 0 and 1.
            eps: added to both accumulators before the root.
        """
        super().__init__(params, lr=lr, rho=rho, eps=eps)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and parameter.grad.is_sparse:
                    self._step_rows(parameter, group)
                    parameter.grad = None
        super().step()
        return loss

    def _step_rows(self, parameter: Tensor, group: dict[str, Any]) -> None:
        """Update the rows that the gradient names."""
        gradient = parameter.grad.coalesce()  # type: ignore[union-attr]  # its caller saw to it
        rows, values = gradient.indices()[0], gradient.values()
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.int64)
            state["square_avg"] = torch.zeros_like(parameter)
            state["acc_delta"] = torch.zeros_like(parameter)
            # The last step in which each row was touched. Kept in the dtype of the parameter's
            # pair, so that moving the state to a device or back cannot round it.
            state["touched"] = torch.zeros(len(parameter), dtype=torch.int64).to(parameter.device)
        state["step"] += 1
        lr, rho, eps = group["lr"], group["rho"], group["eps"]
        idle = state["step"].to(rows.device) - 1 - state["touched"].index_select(0, rows)
        decay = torch.pow(rho, idle.to(values.dtype)).unsqueeze_(1)
        square = state["square_avg"].index_select(0, rows).mul_(decay)
        delta = state["acc_delta"].index_select(0, rows).mul_(decay)

        square.mul_(rho).addcmul_(values, values, value=1 - rho)
        update = (delta + eps).sqrt_().div_((square + eps).sqrt_()).mul_(values)
        delta.mul_(rho).addcmul_(update, update, value=1 - rho)

        state["square_avg"].index_copy_(0, rows, square)
        state["acc_delta"].index_copy_(0, rows, delta)
        state["touched"].index_fill_(0, rows, int(state["step"]))
        parameter.index_add_(0, rows, update, alpha=-lr)
