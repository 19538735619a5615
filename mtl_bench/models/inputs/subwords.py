"""The sub-words of a pretrained transformer, for the encoder that fine-tunes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.batches import Batch, EncodedSplit, Ints, collate
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.text.contextual import SubwordEmbeddings
from mtl_bench.text.subwords import Subwords, windows

ALIKE = 0.7
"""Length of a group's shortest window relative to its longest: what padding may cost."""

FEW = 4
"""Windows that make a group, however they differ: small products cost more than padding."""


@dataclass(frozen=True, eq=False)
class SentenceWindows:
    """The windows of the sentences of a split: P sub-words in W windows.

    Attributes:
        ids: [P] sub-words, window after window.
        starts: [W] position of each window's first sub-word.
        lengths: [W].
        taken: [P] whether a sub-word is of a word whose state is taken from its window.
        of_sentence: [sentences + 1] the first window of each sentence, and W.
    """

    ids: Ints
    starts: Ints
    lengths: Ints
    taken: NDArray[np.bool_]
    of_sentence: Ints


@dataclass(frozen=True, eq=False)
class PaddedGroups:
    """The windows of a batch, in groups of like length.

    Attributes:
        ids: of each group, [windows, longest].
        masks: of each group, [windows, longest], 1 where there is a sub-word.
        taken: of each group, [windows, longest], see `SentenceWindows`.
        places: [U] of the batch's rows, in the states of all groups laid end to end.
        mask: the sub-word that stands for a hidden one; -1 if the model has none.
        hidden: steps whose sub-words are hidden, if any are.
    """

    ids: list[Tensor]
    masks: list[Tensor]
    taken: list[Tensor]
    places: Tensor
    mask: int = -1
    hidden: Tensor | None = None

    def to(self, device: torch.device) -> PaddedGroups:
        """Return the groups on a device."""
        every = (self.ids, self.masks, self.taken)
        ids, masks, taken = ([one.to(device) for one in each] for each in every)
        return replace(self, ids=ids, masks=masks, taken=taken, places=self.places.to(device))


class SubwordInput(Input[SubwordEmbeddings]):
    """Sentences as windows of sub-words; there are no vectors, the encoder has them.

    The state of a word is that of its first sub-word; those of the start and end symbols are those
    of the first and last sub-word of all, which are the model's own for most models. `words` of an
    encoded split number sub-words.
    """

    size = 0

    sees_neighbours = True

    def __init__(self, subwords: Subwords) -> None:
        """Take how words are split."""
        super().__init__()
        self.subwords = subwords
        self.facts: dict[str, int | str] = {"window": subwords.size}

    @classmethod
    def build(
        cls,
        embeddings: SubwordEmbeddings,
        corpora: Mapping[str, Corpus],  # noqa: ARG003
        lowercase: bool,  # noqa: ARG003
        seed: int,  # noqa: ARG003
    ) -> Self:
        """Read the tokenizer of the model."""
        return cls(embeddings.model.subwords())

    def encode(
        self, sentences: Sequence[Sequence[str]], max_length: int | None = None
    ) -> EncodedSplit:
        """Return the sub-words of sentences, cut behind `max_length` words."""
        words = list({word for sentence in sentences for word in sentence})
        pieces = dict(zip(words, self.subwords.split(words), strict=True))
        before, behind = self.subwords.around
        ids: list[int] = []
        taken: list[bool] = []
        starts: list[int] = []
        steps: list[int] = []
        of_sentence = [0]
        for sentence in sentences:
            cut = [pieces[word] for word in sentence[slice(max_length)]]
            steps.append(len(ids))
            counts = list(map(len, cut))
            for begin, end, first, last in windows(counts, self.subwords.room):
                starts.append(len(ids))
                ids += before
                for number in range(begin, end):
                    if first <= number < last:
                        steps.append(len(ids))
                        taken += [False] * (len(ids) - len(taken)) + [True] * counts[number]
                    ids += cut[number]
                ids += behind
            steps.append(len(ids) - 1)
            of_sentence.append(len(starts))
        lengths = [len(s[slice(max_length)]) + 2 for s in sentences]
        taken += [False] * (len(ids) - len(taken))
        borders = np.array([*starts, len(ids)], dtype=np.int64)
        sentence_windows = SentenceWindows(
            np.array(ids, dtype=np.int64),
            borders[:-1],
            np.diff(borders),
            np.array(taken, dtype=np.bool_),
            np.array(of_sentence, dtype=np.int64),
        )
        return EncodedSplit.of(steps, lengths, sentence_windows)

    def collate(self, task: str, split: EncodedSplit, chosen: Ints) -> Batch:
        """Return the chosen [B] sentences of a split as a batch, their windows in groups."""
        batch = collate(task, split, chosen)
        source: SentenceWindows = split.source
        borders = source.of_sentence
        numbers = np.concatenate([np.arange(borders[n], borders[n + 1]) for n in chosen])
        numbers = numbers[np.argsort(-source.lengths[numbers], kind="stable")]
        ids: list[Tensor] = []
        masks: list[Tensor] = []
        taken: list[Tensor] = []
        place_of_window = np.empty(len(numbers), dtype=np.int64)  # of its first sub-word
        total = 0
        for group in _groups(source.lengths[numbers]):
            windows_of_group = numbers[group]
            lengths = source.lengths[windows_of_group]
            columns = np.arange(lengths[0])
            mask = columns < lengths[:, None]
            positions = np.where(mask, source.starts[windows_of_group, None] + columns, 0)
            padded = np.where(mask, source.ids[positions], self.subwords.padding)
            ids.append(torch.from_numpy(padded))
            masks.append(torch.from_numpy(mask.astype(np.int64)))
            taken.append(torch.from_numpy(mask & source.taken[positions]))
            place_of_window[group] = total + np.arange(len(lengths)) * lengths[0]
            total += mask.size
        rows = batch.rows.numpy()
        ascending = np.sort(numbers)
        window = ascending[np.searchsorted(source.starts[ascending], rows, side="right") - 1]
        order = np.argsort(numbers)
        place = place_of_window[order[np.searchsorted(ascending, window)]]
        places = torch.from_numpy(place + rows - source.starts[window])
        mask = -1 if self.subwords.mask is None else self.subwords.mask
        batch.source = PaddedGroups(ids, masks, taken, places, mask)
        return batch

    def forward(self, batch: Batch, sparse: bool) -> Tensor:  # noqa: ARG002
        """Return nothing, [0, 0]: the encoder reads the batch's sub-words."""
        return batch.weights.new_empty(0, 0)

    def describe(self) -> dict[str, Any]:
        """Return the tokenizer."""
        return self.subwords.state()

    @classmethod
    def restore(cls, description: Mapping[str, Any]) -> Self:
        """Return the input as it was described; it needs no other file."""
        return cls(Subwords(**description))


def _groups(lengths: Ints) -> list[slice]:
    """Return the borders of groups of like length; lengths are descending.

    >>> _groups(np.array([20, 19, 10, 9, 9, 9, 9]))
    [slice(0, 4, None), slice(4, 7, None)]
    """
    groups: list[slice] = []
    begin = 0
    for place in range(len(lengths)):
        if place - begin >= FEW and lengths[place] < ALIKE * lengths[begin]:
            groups.append(slice(begin, place))
            begin = place
    return [*groups, slice(begin, len(lengths))]
