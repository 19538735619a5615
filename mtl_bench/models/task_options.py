"""What differs between the tasks of a tagger: weights of losses, learning rates, layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.inputs.batches import Batch


@dataclass(frozen=True)
class TaskOptions:
    """Options by task; a task that is not named has the usual value.

    Attributes:
        loss_weights: factors of the loss, usually 1; or `uncertainty`: learned.
        rates: learning rates of the steps of a task, usually that of the optimizer.
        private_layers: numbers of biLSTM layers between the shared encoder and the head, usually 0.
    """

    loss_weights: Mapping[str, float] | Literal["uncertainty"] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    private_layers: Mapping[str, int] = field(default_factory=dict)


class PrivateLayers(nn.Module):
    """Layers of one task above those that all share (Søgaard and Goldberg, 2016).

    A task without any is supervised at a lower layer than one with some.
    """

    def __init__(self, size: int, count: int) -> None:
        """Create `count` biLSTMs that take and give states of `size` numbers."""
        super().__init__()
        self.layers = nn.ModuleList(BiLSTM(size, size // 2, forget_bias=1.0) for _ in range(count))

    def forward(self, states: Tensor, batch: Batch, dropout: float) -> Tensor:
        """Return [N, size] states, given those of the layer below."""
        # Each step has a vector of its own here, not each word.
        steps = replaced(batch, words=torch.arange(len(batch), device=states.device))
        for layer in self.layers:
            states = F.dropout(layer(states, steps), dropout, self.training)
        return states


class LearnedWeights(nn.Module):
    """Weights of losses by the uncertainty of their tasks (Kendall et al., 2018).

    With s = log of the variance of a task, which is learned: exp(-s) loss + s / 2, their Equation
    10 for classification, of which a step has the part of its task.
    """

    def __init__(self, count: int) -> None:
        """Create `count` logarithms, of variance 1."""
        super().__init__()
        # One each: a step of a task leaves the others', and what an optimizer keeps of them, alone.
        self.log_variances = nn.ParameterList(nn.Parameter(torch.zeros(())) for _ in range(count))

    def forward(self, loss: Tensor, number: int) -> Tensor:
        """Return what to lower, given the loss of task `number`."""
        log_variance = self.log_variances[number]
        weighted: Tensor = torch.exp(-log_variance) * loss + log_variance / 2
        return weighted


@contextmanager
def learning_rate(optimizer: Optimizer, rate: float | None) -> Iterator[None]:
    """Use another learning rate for a step; None: the optimizer's own.

    Groups with rates of their own, such as those of heads, keep their proportion to it.
    """
    if rate is None:
        yield
        return
    factor = rate / optimizer.defaults["lr"]
    # An optimizer that changes its rate in each step keeps the full one.
    names = ["full_lr" if "full_lr" in group else "lr" for group in optimizer.param_groups]
    before = [group[name] for group, name in zip(optimizer.param_groups, names, strict=True)]
    for group, name in zip(optimizer.param_groups, names, strict=True):
        group[name] *= factor
    try:
        yield
    finally:
        for group, name, value in zip(optimizer.param_groups, names, before, strict=True):
            group[name] = value
