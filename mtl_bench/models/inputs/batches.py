"""Batches without padding: the words of several sentences, flat, in time-major order.

Shapes: B sentences of a batch, T steps of the longest, N steps of all (the sum of their
lengths), U different words among them.

Sentences are sorted by length, longest first. Row `offsets[t] + b` is step t of sentence b:
the order of `torch.nn.utils.rnn.PackedSequence`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtl_bench.tasks.types.base import Level

Ints = NDArray[np.int64]

EVALUATION_TOKENS = 4096
"""Steps in one batch of an evaluation: large products, and still in the processor's cache."""


@dataclass(frozen=True, eq=False)
class EncodedSplit:
    """Sentences as numbers, start and end symbols included.

    Attributes:
        words: [sum of lengths] word ids, sentence after sentence.
        starts: [sentences] position of each sentence's first symbol.
        lengths: [sentences] steps of each sentence, symbols included.
        targets: level `word`: [sum of lengths]; level `sentence`: [sentences]; or empty.
        level: of the targets.
        source: what `words` number, for an input whose words have no table of their own.
    """

    words: Ints
    starts: Ints
    lengths: Ints
    targets: NDArray[Any]
    level: Level
    source: Any = None

    @classmethod
    def of(cls, words: Sequence[int], lengths: Sequence[int], source: Any = None) -> EncodedSplit:
        """Return sentences without targets.

        Args:
            words: ids of all sentences, one after another.
            lengths: of the sentences.
            source: what `words` number.
        """
        counts = np.array(lengths, dtype=np.int64)
        ids, none = np.array(words, dtype=np.int64), np.empty(0, dtype=np.int64)
        return cls(ids, np.cumsum(counts) - counts, counts, none, "word", source)

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.lengths)

    def with_targets(self, targets: NDArray[Any], level: Level) -> EncodedSplit:
        """Return the sentences with targets."""
        expected = len(self.words) if level == "word" else len(self)
        if len(targets) != expected:
            raise ValueError(f"there are {len(targets)} targets of level {level}, not {expected}.")
        return replace(self, targets=targets, level=level)


@dataclass(eq=False)
class Batch:
    """Some sentences of one task.

    Attributes:
        task: name of the task.
        rows: [U] ids of the words that occur, ascending.
        words: [N] position in `rows` of each step's word.
        targets: encoded; [N] for a task with one a word, [B] in the order in which the sentences
            were given for a task with one a sentence; empty where only predictions are wanted.
        sizes: [T] sentences that reach step t; on the CPU, as packing wants it.
        mirror: [N] the row that is as far from its sentence's end as this one from its start.
        previous: [N - B] row of the step before, for the steps from the second on.
        weights: [N] 1 / (length of the sentence x B): the mean over a sentence's steps, then
            over sentences.
        order: [N] rows sentence by sentence, in the order in which the sentences were given.
        lengths: [B] steps of the sentences, in the order in which they were given.
        source: what the input or the encoder reads besides, or None; what has a method `to` is
            moved to the device with the rest.
    """

    task: str
    rows: Tensor
    words: Tensor
    targets: Tensor
    sizes: Tensor
    mirror: Tensor
    previous: Tensor
    weights: Tensor
    order: Tensor
    lengths: Tensor
    source: Any = None

    def __len__(self) -> int:
        """Return N, the number of steps of all sentences."""
        return len(self.words)

    def rows_of_words(self) -> Tensor:
        """Return [M] the rows of all words in the order given, without boundary symbols."""
        words = torch.ones_like(self.order, dtype=torch.bool)
        ends = torch.cumsum(self.lengths, 0)
        words[ends - self.lengths] = False
        words[ends - 1] = False
        return self.order[words]

    def by_sentence(self, values: Sequence[Any]) -> list[list[Any]]:
        """Return [M] values of words, sentence after sentence, as a list for each sentence."""
        ends = torch.cumsum(self.lengths - 2, 0).tolist()
        return [list(values[start:end]) for start, end in pairwise([0, *ends])]

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device; the sizes stay on the CPU."""
        if device.type == "cpu":
            return self
        tensors = {
            field.name: getattr(self, field.name).to(device, non_blocking=True)
            for field in fields(self)
            if field.name not in ("task", "sizes", "source")
        }
        source = self.source.to(device) if hasattr(self.source, "to") else self.source
        return Batch(task=self.task, sizes=self.sizes, source=source, **tensors)


class Chunk:
    """Consecutive training steps, taken in one call of the module: their numbers and batches."""

    def __init__(self, steps: range, batches: list[list[Batch]], last_of_interval: bool) -> None:
        """Take the batch of each step, in equal parts, and whether an evaluation comes after."""
        self.steps = steps
        self.batches = batches
        self.last_of_interval = last_of_interval

    def to(self, device: torch.device) -> Chunk:
        """Return the chunk on a device."""
        batches = [[part.to(device) for part in parts] for parts in self.batches]
        return Chunk(self.steps, batches, self.last_of_interval)


def collate(task: str, split: EncodedSplit, chosen: Ints) -> Batch:
    """Pack the chosen sentences of a split.

    Args:
        task: name of the task.
        split: its encoded sentences.
        chosen: [B] numbers of sentences.
    """
    # Longest first, and stable: the order that PackedSequence wants, alike on every machine.
    unsorted = split.lengths[chosen]
    longest_first = np.argsort(-unsorted, kind="stable")
    lengths = unsorted[longest_first]
    starts = split.starts[chosen[longest_first]]
    count, longest = len(lengths), int(lengths[0])

    steps = np.arange(longest)
    mask = steps[:, None] < lengths  # [T, B]
    sizes = mask.sum(axis=1)
    offsets = np.cumsum(sizes) - sizes
    step, sentence = np.nonzero(mask)  # [N] each, time-major
    position = starts[sentence] + step
    rows, words = np.unique(split.words[position], return_inverse=True)

    if not len(split.targets):
        targets = split.targets
    elif split.level == "word":
        targets = split.targets[position]
    else:
        targets = split.targets[chosen]

    # Row of each (sentence, step) in the order given: sentences follow one another.
    column = np.empty(count, dtype=np.int64)
    column[longest_first] = np.arange(count)
    columns = np.repeat(column, unsorted)
    steps_given = np.arange(len(position)) - np.repeat(np.cumsum(unsorted) - unsorted, unsorted)
    return Batch(
        task=task,
        rows=torch.from_numpy(rows),
        words=torch.from_numpy(words),
        targets=torch.from_numpy(targets),
        sizes=torch.from_numpy(sizes),
        mirror=torch.from_numpy(offsets[lengths[sentence] - 1 - step] + sentence),
        # Step 0 has no step before: its rows, the first `count`, are cut off.
        previous=torch.from_numpy((offsets[step - 1] + sentence)[count:]),
        weights=torch.from_numpy(1.0 / (lengths[sentence] * count)),
        order=torch.from_numpy(offsets[steps_given] + columns),
        lengths=torch.from_numpy(unsorted),
    )


def evaluation_batches(split: EncodedSplit, whole: int | None = None) -> Iterator[Ints]:
    """Yield the numbers of all sentences of a split, those of like length together.

    Args:
        split: its encoded sentences.
        whole: keep only the first `len(split) // whole * whole` sentences, as an evaluation in
            batches of `whole` does that drops the last one.
    """
    count = len(split) // whole * whole if whole else len(split)
    by_length = np.argsort(split.lengths[:count], kind="stable")
    tokens = np.cumsum(split.lengths[by_length])
    for part in np.split(by_length, np.flatnonzero(np.diff(tokens // EVALUATION_TOKENS)) + 1):
        if len(part):
            yield part
