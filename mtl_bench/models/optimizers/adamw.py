"""AdamW for pretrained encoders: heads learn faster, the rate warms up, gradients are clipped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeGuard, cast

import torch
from torch import nn

NEW = ("heads.", "private.", "learned_weights.")
"""How names of parameters begin that no pretrained model has."""


class WarmupAdamW(torch.optim.AdamW):
    """AdamW (Loshchilov and Hutter, 2019), as pretrained transformers are trained.

    The rate of step t, from 1, is lr min(1, t / warmup_steps); with `decay_steps` it then falls
    linearly to 0 at that step. Biases and the weights of norms, which have one dimension, do not
    decay. The gradient of all parameters together is scaled to at most `max_norm`.
    """

    takes_names = True

    def __init__(
        self,
        params: Iterable[tuple[str, nn.Parameter]],
        lr: float,
        head_lr: float | None = None,
        weight_decay: float = 0.01,
        warmup_steps: int = 0,
        decay_steps: int | None = None,
        max_norm: float | None = 1.0,
        betas: list[float] | None = None,
        eps: float = 1e-8,
    ) -> None:
        """Make groups of the parameters.

        Args:
            params: names and parameters; those of new layers begin as in NEW.
            lr: rate after warming up.
            head_lr: of heads and other new layers; None: as the others.
            weight_decay: per step, times the rate.
            warmup_steps: steps until the rate is reached.
            decay_steps: the step at which the rate is 0; None: it stays.
            max_norm: of the gradient; None: it is not clipped.
            betas: decays of the two averages; None: 0.9 and 0.999.
            eps: added to the root of the second average.
        """
        for name, value in (("lr", lr), ("head_lr", head_lr), ("max_norm", max_norm), ("eps", eps)):
            open_ = name in ("head_lr", "max_norm")
            if not (value is None and open_) and not (_is_number(value) and value > 0):
                raise ValueError(
                    f"{name} is {value!r}; it is a number above 0{', or null' * open_}."
                )
        if not (_is_number(weight_decay) and weight_decay >= 0):
            raise ValueError(f"weight_decay is {weight_decay!r}; it is a number from 0.")
        if type(warmup_steps) is not int or warmup_steps < 0:
            raise ValueError(f"warmup_steps is {warmup_steps!r}; it is a whole number from 0.")
        if decay_steps is not None and (
            type(decay_steps) is not int or decay_steps <= warmup_steps
        ):
            raise ValueError(
                f"decay_steps, the steps of the run for a rate that decays until its end, is "
                f"{decay_steps!r}; it is a whole number above warmup_steps, which is "
                f"{warmup_steps}, or null."
            )
        betas = [0.9, 0.999] if betas is None else betas
        # Any sequence: a list of a yaml is one of OmegaConf's.
        if not isinstance(betas, Sequence) or [
            _is_number(beta) and 0 <= beta < 1 for beta in betas
        ] != [True, True]:
            raise ValueError(f"betas is {betas!r}; it is two numbers from 0 to below 1.")
        self.warmup_steps, self.decay_steps, self.max_norm = warmup_steps, decay_steps, max_norm
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in params:
            groups.setdefault((name.startswith(NEW), parameter.ndim > 1), []).append(parameter)
        super().__init__(
            [
                {
                    "params": parameters,
                    "lr": head_lr if is_head and head_lr is not None else lr,
                    "weight_decay": weight_decay if decays else 0.0,
                }
                for (is_head, decays), parameters in groups.items()
            ],
            lr=lr,
            betas=(betas[0], betas[1]),
            eps=eps,
            fused=True,
        )
        for group in self.param_groups:
            group["full_lr"], group["steps"] = group["lr"], 0

    def factor(self, step: int) -> float:
        """Return what the rate is multiplied by at a step, counted from 1."""
        if step < self.warmup_steps:
            return step / self.warmup_steps
        if self.decay_steps is None:
            return 1.0
        left = self.decay_steps - step
        return max(0.0, left / (self.decay_steps - self.warmup_steps))

    @torch.no_grad()
    def step(  # type: ignore[override]  # torch has overloads for the two cases
        self, closure: Callable[[], float] | None = None
    ) -> float | None:
        """Clip the gradient, set the rate, and update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if self.max_norm is not None:
            parameters: list[Any] = [p for group in self.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self.max_norm)
        for group in self.param_groups:
            group["steps"] += 1
            group["lr"] = group["full_lr"] * self.factor(group["steps"])
        super().step()
        return loss


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in (int, float) and math.isfinite(cast(float, value))
