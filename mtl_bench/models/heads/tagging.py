"""A label for each word: a projection of its state, and cross-entropy.

Shapes as in `inputs/batches.py`: B sentences, N steps of all, M words of all; C classes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mtl_bench.models.heads.base import Evaluated, Head
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.labels import Labels


class TaggingHead(Head):
    """One projection to the task's labels and the two boundary labels (the paper's head)."""

    label_weights: Tensor | None

    def __init__(self, size: int, fitted: Fitted) -> None:
        """Draw the weights by Glorot and Bengio (2010); the bias starts at zero."""
        super().__init__(size, fitted)
        self.labels: Labels = fitted.targets
        # Only labels of train: one that evaluated splits add has no weights that could be trained.
        self.output = nn.Linear(size, len(self.labels))
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("label_weights", None, persistent=False)
        self.padding: nn.Linear | None = None
        self.positions = 0

    def balance(self, targets: NDArray[Any]) -> None:
        """Weigh labels by steps / (C x count): every label has the same share of the loss."""
        counts = np.bincount(targets, minlength=len(self.labels))
        weights = counts.sum() / (len(self.labels) * counts.clip(min=1))
        self.label_weights = torch.from_numpy(weights)

    def pad(self, positions: int) -> None:
        """Add a label for padding, which only the loss knows.

        Where the encoder masks padding, its state there is 0, so that the bias alone decides.
        """
        self.positions = positions
        self.padding = nn.Linear(self.output.in_features, 1)
        bound = math.sqrt(6 / (self.output.in_features + len(self.labels) + 1))
        nn.init.uniform_(self.padding.weight, -bound, bound)
        nn.init.zeros_(self.padding.bias)

    def draw_bias(self) -> None:
        """Draw the bias by Glorot and Bengio (2010), as weights [1, C]."""
        layers = [self.output, *([self.padding] if self.padding else [])]
        bound = math.sqrt(6 / (1 + sum(layer.out_features for layer in layers)))
        for layer in layers:
            nn.init.uniform_(layer.bias, -bound, bound)

    def forward(self, states: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        """Return [N, C] logits; [N, C + 1] where the loss has a label for padding, the last."""
        logits: Tensor = self.output(states)
        if self.padding:
            return torch.cat([logits, self.padding(states)], 1)
        return logits

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the cross-entropy in nats: mean over a sentence's steps, then over sentences.

        With a label for padding it is the mean over all positions of all sentences.
        """
        if self.padding:
            return self._loss_over_positions(outputs, batch, self.padding)
        losses = F.cross_entropy(outputs, batch.targets, reduction="none")
        weights = batch.weights.to(losses.dtype)  # kept in float64, exact for any precision
        if self.label_weights is not None:
            weights = weights * self.label_weights.to(losses.dtype)[batch.targets]
        return torch.dot(losses, weights)  # as `@`, but in float32 with bf16-mixed, too

    def _loss_over_positions(self, logits: Tensor, batch: Batch, padding: nn.Linear) -> Tensor:
        """Return the mean cross-entropy over sentences x positions."""
        of_steps = F.cross_entropy(logits, batch.targets, reduction="sum")
        bias = torch.cat([self.output.bias, padding.bias])
        of_padding = bias.logsumexp(0) - bias[-1]
        count = len(batch.lengths) * self.positions
        return (of_steps + (count - len(batch)) * of_padding) / count

    def evaluate(self, outputs: Tensor, batch: Batch) -> Evaluated:
        """Return losses and labels of words; the boundary symbols do not take part."""
        rows = batch.rows_of_words()
        logits, gold = outputs[rows, : len(self.labels)], batch.targets[rows]
        # A label that training lacks has no logit, and so no loss; it counts as a miss.
        losses = F.cross_entropy(logits, gold.clamp(min=-1), reduction="none", ignore_index=-1)
        return Evaluated(losses, gold >= 0, logits.argmax(1), gold, batch.lengths - 2)

    def decode(self, outputs: Tensor, batch: Batch) -> list[Any]:
        """Return a list of labels for each sentence."""
        ids = self._of_words(outputs, batch).argmax(1).tolist()
        return batch.by_sentence([self.labels.names[number] for number in ids])

    def scores(self, outputs: Tensor, batch: Batch) -> list[Any]:
        """Return the probability of each predicted label, among the labels that a word may have."""
        probabilities = self._of_words(outputs, batch).softmax(1)
        return batch.by_sentence(probabilities.amax(1).tolist())

    def _of_words(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the logits of all words in the order given, without the boundary labels."""
        return outputs[batch.rows_of_words(), : self.labels.start]
