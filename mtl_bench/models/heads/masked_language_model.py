"""A masked language model: words that are hidden from a transformer, told from all others.

Shapes as in `inputs/batches.py`: B sentences, N steps of all, M words of all; P sub-words of a
batch, padding included; U different steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mtl_bench.models.heads.base import Evaluated, Head
from mtl_bench.models.heads.language_model import adaptive_softmax
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.models.inputs.subwords import PaddedGroups
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.language_model import FrequentWords

HIDDEN = 0.15
"""Share of words that are hidden (Devlin et al., 2019)."""


class MaskedLanguageModelHead(Head):
    """A tanh layer and an adaptive softmax over frequent words, at the places of hidden words.

    Whole words are hidden, and always by the mask (Devlin et al., 2019, whose head predicts
    sub-words; encoders of sentences come without one). An evaluation hides the same words each
    time.
    """

    def __init__(self, size: int, fitted: Fitted) -> None:
        """Create the layers."""
        super().__init__(size, fitted)
        self.words: FrequentWords = fitted.targets
        self.hidden = nn.Linear(size, size)
        self.softmax = adaptive_softmax(size, len(self.words))

    def prepare(self, batch: Batch) -> Batch:
        """Return the batch with some words hidden: at least one, on average HIDDEN of all."""
        words = batch.rows_of_words()
        fixed = None if self.training else torch.Generator().manual_seed(0)
        draw = torch.rand(len(words), generator=fixed).to(words.device)
        hidden = words[(draw < HIDDEN) | (draw == draw.min())]
        return replace(batch, source=_masked(batch, hidden))

    def forward(self, states: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        """Return [N, size] the states."""
        return states

    def _negative_log_likelihoods(self, states: Tensor, rows: Tensor, batch: Batch) -> Tensor:
        likelihoods: Tensor = self.softmax(
            torch.tanh(self.hidden(states[rows])), batch.targets[rows]
        ).output
        return -likelihoods

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the cross-entropy in nats: mean over the hidden words."""
        return self._negative_log_likelihoods(outputs, batch.source.hidden, batch).mean()

    def evaluate(self, outputs: Tensor, batch: Batch) -> Evaluated:
        """Return the hidden words alone."""
        rows = batch.source.hidden
        values = self._negative_log_likelihoods(outputs, rows, batch)
        return Evaluated(
            values, torch.ones_like(values), values, batch.targets[rows], batch.lengths - 2
        )

    def decode(self, outputs: Tensor, batch: Batch) -> list[Any]:
        """Return, for each word, the most probable one at its place; none is hidden."""
        best = self.softmax.predict(torch.tanh(self.hidden(outputs[batch.rows_of_words()])))
        return batch.by_sentence([self.words.names[number] for number in best.tolist()])


def _masked(batch: Batch, hidden: Tensor) -> PaddedGroups:
    """Return the sub-words of a batch, those of the steps `hidden` replaced by the mask.

    A sub-word belongs to the last step that begins before it. In a sentence of several windows,
    what a window repeats of its neighbour stays as it is.
    """
    groups: PaddedGroups = batch.source
    flat = torch.cat([ids.flatten() for ids in groups.ids])
    places, order = groups.places.sort()
    positions = torch.arange(len(flat), device=flat.device)
    owner = order[(torch.searchsorted(places, positions, right=True) - 1).clamp(min=0)]
    of_steps = torch.zeros(len(places), dtype=torch.bool, device=flat.device)
    of_steps[batch.words[hidden]] = True
    taken = torch.cat([each.flatten() for each in groups.taken])
    masked = torch.where(of_steps[owner] & taken, groups.mask, flat)
    sizes = [ids.numel() for ids in groups.ids]
    parts = zip(masked.split(sizes), groups.ids, strict=True)
    return replace(groups, ids=[part.view_as(ids) for part, ids in parts], hidden=hidden)
