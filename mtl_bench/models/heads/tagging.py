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

from mtl_bench.errors import UserError
from mtl_bench.models.heads.base import Evaluated, Head
from mtl_bench.models.heads.decoding import CRF, Chain, Constrained, Greedy, penalties_of
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.labels import Labels
from mtl_bench.tasks.types.spans import named_scheme
from mtl_bench.tasks.types.tagging import Tagging


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
        self.decoding = _decoding(fitted)

    def balance(self, targets: NDArray[Any]) -> None:
        """Weigh labels by steps / (C x count): every label has the same share of the loss.

        Raises:
            UserError: the loss is of chains of labels.
        """
        self._refuse_chains("label_weights", "balanced", "none")
        counts = np.bincount(targets, minlength=len(self.labels))
        weights = counts.sum() / (len(self.labels) * counts.clip(min=1))
        self.label_weights = torch.from_numpy(weights)

    def pad(self, positions: int) -> None:
        """Add a label for padding, which only the loss knows.

        Where the encoder masks padding, its state there is 0, so that the bias alone decides.

        Raises:
            UserError: the loss is of chains of labels.
        """
        self._refuse_chains("loss_over", "positions", "words")
        self.positions = positions
        self.padding = nn.Linear(self.output.in_features, 1)
        bound = math.sqrt(6 / (self.output.in_features + len(self.labels) + 1))
        nn.init.uniform_(self.padding.weight, -bound, bound)
        nn.init.zeros_(self.padding.bias)

    def _refuse_chains(self, key: str, value: str, instead: str) -> None:
        if isinstance(self.decoding, CRF):
            raise UserError(
                f"model.{key} is '{value}', but a task of the run has decoding=crf, whose loss is "
                f"of chains of labels. Type `model.{key}={instead}`."
            )

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

        With a label for padding it is the mean over all positions of all sentences; with a CRF, the
        negative log-likelihood of a sentence's labels by its number of words, which is of the same
        size, then the mean over sentences.
        """
        if isinstance(self.decoding, CRF):
            rows, words = batch.rows_of_words(), batch.lengths - 2
            logits = self._of_words(outputs, batch)
            likelihoods = self.decoding.negative_log_likelihoods(logits, batch.targets[rows], words)
            return (likelihoods / words).mean()
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
        rows, words = batch.rows_of_words(), batch.lengths - 2
        logits, gold = outputs[rows, : len(self.labels)], batch.targets[rows]
        if isinstance(self.decoding, Chain):
            best = self.decoding.best(self._of_words(outputs, batch), words)
        else:
            best = logits.argmax(1)
        if isinstance(self.decoding, CRF):
            return self._evaluate_chains(outputs, batch, best)
        # A label that training lacks has no logit, and so no loss; it counts as a miss.
        losses = F.cross_entropy(logits, gold.clamp(min=-1), reduction="none", ignore_index=-1)
        return Evaluated(losses, gold >= 0, best, gold, words)

    def _evaluate_chains(self, outputs: Tensor, batch: Batch, best: Tensor) -> Evaluated:
        """Return the loss of a sentence's chain, in equal parts, for each of its words."""
        assert isinstance(self.decoding, CRF)
        gold, words = batch.targets[batch.rows_of_words()], batch.lengths - 2
        sentence = torch.repeat_interleave(torch.arange(len(words), device=gold.device), words)
        logits = self._of_words(outputs, batch)
        sums = self.decoding.negative_log_likelihoods(logits, gold.clamp(min=0), words)
        # A chain with a label that training lacks has no likelihood.
        unseen = torch.zeros_like(words).index_add(0, sentence, (gold < 0).long())
        return Evaluated((sums / words)[sentence], (unseen == 0)[sentence], best, gold, words)

    def decode(self, outputs: Tensor, batch: Batch) -> list[Any]:
        """Return a list of labels for each sentence."""
        ids = self.decoding.best(self._of_words(outputs, batch), batch.lengths - 2).tolist()
        return batch.by_sentence([self.labels.names[number] for number in ids])

    def scores(self, outputs: Tensor, batch: Batch) -> list[Any]:
        """Return the probability of each predicted label, among the labels that a word may have."""
        logits, words = self._of_words(outputs, batch), batch.lengths - 2
        best = self.decoding.best(logits, words)
        probabilities = self.decoding.probabilities(logits, words)
        return batch.by_sentence(probabilities.gather(1, best[:, None]).squeeze(1).tolist())

    def _of_words(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the logits of all words in the order given, without the boundary labels."""
        return outputs[batch.rows_of_words(), : self.labels.start]


def _decoding(fitted: Fitted) -> Greedy | Chain:
    """Return how the labels of a task are decoded."""
    type_, labels = fitted
    if not isinstance(type_, Tagging) or type_.decoding == "greedy":
        return Greedy()
    names = labels.names[: labels.start]
    scheme = None
    if type_.spans:
        scheme = named_scheme(type_.spans, (*names, *labels.unseen), type_.outside)
    if type_.decoding == "crf":
        return CRF(len(names), penalties_of(scheme, names) if scheme else None)
    assert scheme is not None  # the type has checked it
    return Constrained(scheme, names)
