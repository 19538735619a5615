"""Sequence to sequence: a GRU with attention over a sentence's states says its words.

Shapes as in `inputs/batches.py`: B sentences, N steps of all; S steps of the longest sentence, T
words of the longest output with its end, H numbers of the decoder's state, E of a word's vector.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mtl_bench.models.heads.base import Evaluated, Head
from mtl_bench.models.heads.language_model import adaptive_softmax
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.seq2seq import OutputWords


class Seq2SeqHead(Head):
    """A GRU decoder (Cho et al., 2014) with Luong et al.'s (2015) general, global attention.

    It starts from the mean state, sees the word before (in training the right one), and predicts by
    an adaptive softmax (Grave et al., 2017).
    """

    def __init__(self, size: int, fitted: Fitted) -> None:
        """Create the layers; H and E are half of an encoder's state."""
        super().__init__(size, fitted)
        self.words: OutputWords = fitted.targets
        classes, half = len(self.words), max(size // 2, 1)
        self.vectors = nn.Embedding(classes, half)
        nn.init.normal_(self.vectors.weight, std=0.1)
        self.start = nn.Linear(size, half)
        self.gru = nn.GRU(half, half, batch_first=True)
        self.attention = nn.Linear(half, size, bias=False)
        self.hidden = nn.Linear(half + size, half)
        self.softmax = adaptive_softmax(half, classes)

    def forward(self, states: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        """Return [N, size] the states: what they predict depends on the words said before."""
        return states

    def _likelihoods(self, states: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return [B, T] negative log-likelihoods of the gold words, and where there are some.

        The first end counts, and nothing behind it.
        """
        padded, mask = _by_sentence(states, batch)
        gold = batch.targets[:, : self.words.max_length + 1]
        is_end = gold == self.words.end
        counts = is_end.cumsum(1) - is_end.long() == 0
        counts[:, self.words.max_length :] &= is_end[:, self.words.max_length :]
        gold = torch.where(gold < 0, self.words.other, gold)
        # Said before the first word is the end of what was said before.
        said = F.pad(gold[:, :-1], (1, 0), value=self.words.end)
        outputs, _ = self.gru(self.vectors(said), self._first(padded, mask))
        hidden = self._attend(outputs, padded, mask)
        losses = padded.new_zeros(gold.shape)
        losses[counts] = -self.softmax(hidden[counts], gold[counts]).output
        return losses, counts

    def _first(self, padded: Tensor, mask: Tensor) -> Tensor:
        """Return [1, B, H] the state that the decoder starts from."""
        means = padded.sum(1) / mask.sum(1, keepdim=True)
        return torch.tanh(self.start(means))[None]

    def _attend(self, outputs: Tensor, padded: Tensor, mask: Tensor) -> Tensor:
        """Return [B, T, H] what words are predicted from, given the decoder's states."""
        scores = self.attention(outputs) @ padded.transpose(1, 2)
        weights = scores.masked_fill(~mask[:, None], -torch.inf).softmax(2)
        return torch.tanh(self.hidden(torch.cat([outputs, weights @ padded], 2)))

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the cross-entropy in nats: mean over an output's words, then over sentences."""
        losses, counts = self._likelihoods(outputs, batch)
        return (losses.sum(1) / counts.sum(1)).mean()

    @torch.no_grad()
    def _greedy(self, states: Tensor, batch: Batch) -> Tensor:
        """Return [B, T] the most probable words, one after another; ends behind the first end."""
        padded, mask = _by_sentence(states, batch)
        state = self._first(padded, mask)
        said = torch.full((len(padded),), self.words.end, device=states.device)
        ended = torch.zeros_like(said, dtype=torch.bool)
        words = []
        for _ in range(self.words.max_length):
            output, state = self.gru(self.vectors(said[:, None]), state)
            said = self.softmax.predict(self._attend(output, padded, mask)[:, 0])
            ended |= said == self.words.end
            said = said.masked_fill(ended, self.words.end)
            words.append(said)
            if bool(ended.all()):
                break
        return torch.stack(words, 1)

    def evaluate(self, outputs: Tensor, batch: Batch) -> Evaluated:
        """Return losses of the gold words, and the outputs said without them."""
        losses, counts = self._likelihoods(outputs, batch)
        said = self._greedy(outputs, batch)
        return Evaluated(losses[counts], counts[counts], said, batch.targets, batch.lengths - 2)

    def decode(self, outputs: Tensor, batch: Batch) -> list[Any]:
        """Return the words of each sentence's output."""
        return [self.words.decode(row) for row in self._greedy(outputs, batch).tolist()]


def _by_sentence(states: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return [B, S, size] states in the order in which sentences were given, and [B, S] where."""
    places = torch.arange(int(batch.lengths.max()), device=states.device)
    mask = places < batch.lengths[:, None]
    padded = states.new_zeros(*mask.shape, states.shape[1])
    padded[mask] = states[batch.order]
    return padded, mask
