"""A language model: forward states predict the next word, backward states the previous one.

Shapes as in `inputs/batches.py`: B sentences, N steps of all, M words of all; H numbers of a
state's direction, C classes.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from mtl_bench.models.heads.base import Evaluated, Head
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.language_model import FrequentWords

CUTOFFS = (100, 500, 2000)
"""Ranks of words at which the adaptive softmax begins clusters of rarer words."""

DIVISOR = 2.0
"""By which the numbers of each further cluster's states are fewer."""


class LanguageModelHead(Head):
    """For each direction a tanh layer (Rei, 2017) and an adaptive softmax (Grave et al., 2017)."""

    needs_directions = True

    def __init__(self, size: int, fitted: Fitted) -> None:
        """Create the layers."""
        super().__init__(size, fitted)
        self.words: FrequentWords = fitted.targets
        classes, half = len(self.words), size // 2
        self.hidden = nn.ModuleList(nn.Linear(half, half) for _ in range(2))
        self.softmax = nn.ModuleList(adaptive_softmax(half, classes) for _ in range(2))

    def forward(self, states: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        """Return [N, 2H] the states: what they predict depends on the words."""
        return states

    def _negative_log_likelihoods(self, states: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return [N] those of each step from the left, and from the right; 0 where is none."""
        forward, backward = states.chunk(2, dim=1)
        count = len(batch.lengths)
        # Row n of `previous` is the step before row count + n: those behind the first steps.
        later, earlier = torch.arange(count, len(batch), device=states.device), batch.previous
        left = self._direction(0, forward[earlier], batch.targets[later])
        right = self._direction(1, backward[later], batch.targets[earlier])
        zeros = left.new_zeros(len(batch))
        return zeros.index_copy(0, later, left), zeros.index_copy(0, earlier, right)

    def _direction(self, number: int, states: Tensor, targets: Tensor) -> Tensor:
        hidden = torch.tanh(self.hidden[number](states))
        softmax = cast(nn.AdaptiveLogSoftmaxWithLoss, self.softmax[number])
        likelihoods: Tensor = softmax(hidden, targets).output
        return -likelihoods

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the sum of both directions in nats: mean over steps, then over sentences."""
        left, right = self._negative_log_likelihoods(outputs, batch)
        return torch.dot(left + right, batch.weights.to(left.dtype))

    def evaluate(self, outputs: Tensor, batch: Batch) -> Evaluated:
        """Return the mean of both directions for each word."""
        left, right = self._negative_log_likelihoods(outputs, batch)
        rows = batch.rows_of_words()
        values = ((left + right) / 2)[rows]
        return Evaluated(
            values, torch.ones_like(values), values, batch.targets[rows], batch.lengths - 2
        )

    def decode(self, outputs: Tensor, batch: Batch) -> list[Any]:
        """Return, for each word, the most probable one at its place, given those before it."""
        forward = outputs.chunk(2, dim=1)[0]
        best = torch.zeros(len(batch), dtype=torch.int64, device=outputs.device)
        hidden = torch.tanh(self.hidden[0](forward[batch.previous]))
        softmax = cast(nn.AdaptiveLogSoftmaxWithLoss, self.softmax[0])
        best[len(batch.lengths) :] = softmax.predict(hidden)
        names = [self.words.names[number] for number in best[batch.rows_of_words()].tolist()]
        return batch.by_sentence(names)


def adaptive_softmax(size: int, classes: int) -> nn.AdaptiveLogSoftmaxWithLoss:
    """Return the softmax over words, the most frequent first, of states of `size` numbers."""
    cutoffs = [each for each in CUTOFFS if each < classes] or [classes // 2]
    # A cluster has size / divisor^n numbers, at least one.
    divisor = max(1.0, min(DIVISOR, size ** (1 / len(cutoffs))))
    return nn.AdaptiveLogSoftmaxWithLoss(size, classes, cutoffs, divisor)
