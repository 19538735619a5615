"""One class a sentence: its states become one, a projection, and cross-entropy.

Shapes as in `inputs/batches.py`: B sentences, N steps of all; C classes, D numbers of a state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mtl_bench.models.heads.base import Evaluated, Head
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.classes import Classes


class ClassificationHead(Head):
    """A weighted mean of a sentence's states, and a projection to the classes.

    Weights are softmax(v tanh(W h + b)) over the steps of a sentence (Yang et al., 2016), or equal.
    """

    class_weights: Tensor | None

    def __init__(self, size: int, fitted: Fitted) -> None:
        """Draw the weights by Glorot and Bengio (2010); biases start at zero."""
        super().__init__(size, fitted)
        self.classes: Classes = fitted.targets
        self.attends = getattr(fitted.type, "pooling", "mean") == "attention"
        if self.attends:
            self.hidden = nn.Linear(size, size)
            self.weight = nn.Linear(size, 1, bias=False)
        self.output = nn.Linear(size, len(self.classes))
        for layer in self.children():
            assert isinstance(layer, nn.Linear)
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.register_buffer("class_weights", None, persistent=False)

    def balance(self, targets: NDArray[Any]) -> None:
        """Weigh classes by sentences / (C x count): every class has the same share of the loss."""
        counts = np.bincount(targets, minlength=len(self.classes))
        weights = counts.sum() / (len(self.classes) * counts.clip(min=1))
        self.class_weights = torch.from_numpy(weights)

    def forward(self, states: Tensor, batch: Batch) -> Tensor:
        """Return [B, C] logits, in the order in which the sentences were given."""
        count = len(batch.lengths)
        places = torch.arange(count, device=states.device)
        sentence = torch.repeat_interleave(places, batch.lengths)
        states = states[batch.order]
        if self.attends:
            scores = self.weight(torch.tanh(self.hidden(states))).squeeze(1)
            largest = scores.new_full((count,), -torch.inf)
            largest = largest.scatter_reduce(0, sentence, scores.detach(), "amax")
            weights = torch.exp(scores - largest[sentence])
            sums = weights.new_zeros(count).index_add(0, sentence, weights)
            weights = weights / sums[sentence]
        else:
            weights = 1 / batch.lengths[sentence].to(states.dtype)
        pooled = states.new_zeros(count, states.shape[1])
        pooled = pooled.index_add(0, sentence, weights[:, None] * states)
        logits: Tensor = self.output(pooled)
        return logits

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the cross-entropy in nats, mean over sentences."""
        losses = F.cross_entropy(outputs, batch.targets, reduction="none")
        if self.class_weights is not None:
            losses = losses * self.class_weights.to(losses.dtype)[batch.targets]
        return losses.mean()

    def evaluate(self, outputs: Tensor, batch: Batch) -> Evaluated:
        """Return losses and classes of sentences."""
        gold = batch.targets
        # A class that training lacks has no logit, and so no loss; it counts as a miss.
        losses = F.cross_entropy(outputs, gold.clamp(min=-1), reduction="none", ignore_index=-1)
        return Evaluated(losses, gold >= 0, outputs.argmax(1), gold, batch.lengths - 2)

    def decode(self, outputs: Tensor, batch: Batch) -> list[Any]:  # noqa: ARG002
        """Return the class of each sentence."""
        return [self.classes.names[number] for number in outputs.argmax(1).tolist()]

    def scores(self, outputs: Tensor, batch: Batch) -> list[Any]:  # noqa: ARG002
        """Return the probability of each predicted class."""
        probabilities: list[float] = outputs.softmax(1).amax(1).tolist()
        return probabilities
