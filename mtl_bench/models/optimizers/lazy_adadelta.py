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

from mtl_bench.models import kernels
from mtl_bench.models.kernels import AdadeltaOptions


class LazyAdadelta(torch.optim.Optimizer):
    """Adadelta as `torch.optim.Adadelta` computes it; sparse gradients are treated exactly.

    With g the gradient, and both accumulators starting at 0:

        square = rho square + (1 - rho) g^2
        update = sqrt((delta + eps) / (square + eps)) g
        delta = rho delta + (1 - rho) update^2
        parameter = parameter - lr update

    Parameters with a sparse gradient must get one at every step in which the dense optimiser
    would get one. Its rows may differ each time; each is named once, in ascending order, as
    `inputs.sparse_rows.Lookup` does. On a GPU nobody looks, since that would make it wait.
    """

    takes_sparse_gradients = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        rho: float = 0.95,
        eps: float = 1e-8,
    ) -> None:
        """Store the options.

        Args:
            params: parameters, as for any torch optimizer.
            lr: factor on the update, above 0 (Zeiler's text has none, that is 1).
            rho: decay of both accumulators, from 0 to below 1.
            eps: added to both accumulators, above 0.
        """
        for name, value, fits, allowed in (
            ("lr", lr, isinstance(lr, int | float) and lr > 0, "a number above 0"),
            ("rho", rho, isinstance(rho, int | float) and 0 <= rho < 1, "from 0 to below 1"),
            ("eps", eps, isinstance(eps, int | float) and eps > 0, "a number above 0"),
        ):
            if not fits:
                raise ValueError(f"{name} is {value!r}; it is {allowed}.")
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    @torch.no_grad()
    def step(  # type: ignore[override]  # torch has overloads for the two cases
        self, closure: Callable[[], float] | None = None
    ) -> float | None:
        """Update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            with_gradient = [p for p in group["params"] if p.grad is not None]
            for parameter in with_gradient:
                if parameter.grad.is_sparse:
                    self._step_rows(parameter, group)
            self._step_dense([p for p in with_gradient if not p.grad.is_sparse], group)
        return loss

    def _step_dense(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Update whole parameters, with one call of torch for all of them together."""
        lr, rho, eps = group["lr"], group["rho"], group["eps"]
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["square_avg"] = torch.zeros_like(parameter)
                self.state[parameter]["acc_delta"] = torch.zeros_like(parameter)
        states = [self.state[parameter] for parameter in parameters]
        options = AdadeltaOptions(lr, rho, eps)
        if not parameters or kernels.adadelta(parameters, states, options):
            return
        gradients = [p.grad for p in parameters if p.grad is not None]  # none is None here
        square = [state["square_avg"] for state in states]
        delta = [state["acc_delta"] for state in states]
        torch._foreach_mul_(square, rho)
        torch._foreach_addcmul_(square, gradients, gradients, 1 - rho)
        update = torch._foreach_add(delta, eps)
        torch._foreach_div_(update, torch._foreach_add(square, eps))
        torch._foreach_sqrt_(update)
        torch._foreach_mul_(update, gradients)
        torch._foreach_mul_(delta, rho)
        torch._foreach_addcmul_(delta, update, update, 1 - rho)
        torch._foreach_add_(parameters, update, alpha=-lr)

    def _step_rows(self, parameter: Tensor, group: dict[str, Any]) -> None:
        """Update the rows that the gradient names."""
        gradient = parameter.grad
        assert gradient is not None  # its caller saw to it
        rows, values = gradient._indices()[0], gradient._values()
        if rows.device.type == "cpu" and not bool((rows[1:] > rows[:-1]).all()):
            raise ValueError(
                "a sparse gradient names a row twice, or not in order: `coalesce` it. Gradients of "
                "several backward passes cannot be added up."
            )
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["square_avg"] = torch.zeros_like(parameter)
            state["acc_delta"] = torch.zeros_like(parameter)
            # The step in which each row was last touched, in the parameter's dtype, since
            # `load_state_dict` casts to it: exact in float32 up to 16 million steps.
            state["touched"] = torch.zeros_like(parameter[:, 0])
        lr, rho, eps = group["lr"], group["rho"], group["eps"]
        state["step"] += 1
        if kernels.adadelta_rows(parameter, state, AdadeltaOptions(lr, rho, eps)):
            return
        idle = state["step"] - 1 - state["touched"].index_select(0, rows)  # steps missed
        decay = torch.pow(rho, idle.unsqueeze_(1))
        square = state["square_avg"].index_select(0, rows).mul_(decay)
        delta = state["acc_delta"].index_select(0, rows).mul_(decay)

        square.mul_(rho).addcmul_(values, values, value=1 - rho)
        update = (delta + eps).div_(square + eps).sqrt_().mul_(values)
        delta.mul_(rho).addcmul_(update, update, value=1 - rho)

        state["square_avg"].index_copy_(0, rows, square)
        state["acc_delta"].index_copy_(0, rows, delta)
        state["touched"].index_fill_(0, rows, state["step"])
        parameter.index_copy_(0, rows, parameter.index_select(0, rows).sub_(update, alpha=lr))
