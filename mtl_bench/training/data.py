"""Draws the training batches of all steps, and holds the evaluation batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
from numpy.random import Generator
from numpy.typing import NDArray

from mtl_bench.errors import UserError
from mtl_bench.models.inputs.batches import Batch, Chunk, collate, evaluation_batches
from mtl_bench.runs.schedule import Schedule
from mtl_bench.text.vocabulary import EncodedSplit
from mtl_bench.training.samplers.draws import Draws

Sampler = Callable[[int, Generator], str]

STEPS_PER_CALL = 50
"""Steps in one call of the module: Lightning's cost per call is spread over them."""


class TaskDataModule(pl.LightningDataModule):
    """Each step draws one task, then a batch of its sentences without replacement.

    One epoch of the Trainer is one interval of the schedule.
    """

    def __init__(
        self,
        train: Mapping[str, EncodedSplit],
        curve: Mapping[str, EncodedSplit],
        final: Mapping[str, EncodedSplit],
        sampler: Sampler,
        schedule: Schedule,
        start: int,
        batch_size: int,
        seed: int,
        drop_last: bool = False,
    ) -> None:
        """Take the encoded sentences.

        Args:
            train: by task.
            curve: evaluated after each interval; by task.
            final: evaluated once at the end; by task.
            sampler: names the task of a step.
            schedule: of the run.
            start: steps done already (when a run is resumed).
            batch_size: sentences in a training batch.
            seed: of all draws.
            drop_last: leave out sentences behind the last whole batch of an evaluation.
        """
        super().__init__()
        for task, split in train.items():
            if len(split) < batch_size:
                raise UserError(
                    f"data.batch_size is {batch_size}, but task '{task}' has only {len(split)} "
                    f"training sentences.\nType `data.batch_size={len(split)}` or less, or leave "
                    "the task out."
                )
        self.train = train
        self.curve = curve
        self.final = final
        self.sampler = sampler
        self.intervals = schedule.intervals(start)
        self._evaluations = set(schedule.evaluations())
        self.batch_size = batch_size
        self._draws = Draws(seed)
        self.whole = batch_size if drop_last else None
        for task, split in (*curve.items(), *final.items()):
            if drop_last and len(split) < batch_size:
                raise UserError(
                    f"task '{task}' has {len(split)} sentences to evaluate on, fewer than a whole "
                    f"batch of {batch_size}: nothing would be evaluated.\n"
                    "Type `data.drop_last=false` to evaluate on all of them."
                )
        self._curve_batches: _Loader | None = None

    def draw(self, step: int) -> Batch:
        """Return the batch of a step, which follows from (seed, step)."""
        random = self._draws.at(step)
        task = self.sampler(step, random)
        split = self.train[task]
        return collate(task, split, random.choice(len(split), self.batch_size, replace=False))

    def chunks(self, steps: range) -> Iterator[Chunk]:
        """Yield consecutive steps with their batches, at most STEPS_PER_CALL at a time."""
        for begin in range(steps.start, steps.stop, STEPS_PER_CALL):
            part = range(begin, min(begin + STEPS_PER_CALL, steps.stop))
            yield Chunk(part, [self.draw(step) for step in part], part.stop == steps.stop)

    def train_dataloader(self) -> _Loader:
        """Return the chunks of the interval that the trainer's epoch stands for."""
        epoch = self.trainer.current_epoch if self.trainer else 0
        steps = self.intervals[epoch]
        return _Loader(math.ceil(len(steps) / STEPS_PER_CALL), lambda: self.chunks(steps))

    def val_dataloader(self) -> _Loader:
        """Return the batches of the split that curves are drawn from, of all tasks.

        There are none after the last interval of a run that ends between two evaluations: a run
        that is trained longer has none there.
        """
        if (
            self.trainer
            and self.intervals[self.trainer.current_epoch].stop not in self._evaluations
        ):
            return _Loader(0, lambda: iter(()))
        if self._curve_batches is None:
            self._curve_batches = self._evaluation(self.curve)
        return self._curve_batches

    def test_dataloader(self) -> _Loader:
        """Return the batches of the split that final metrics come from, of all tasks."""
        return self._evaluation(self.final)

    def _evaluation(self, splits: Mapping[str, EncodedSplit]) -> _Loader:
        batches = [
            batch
            for task, split in sorted(splits.items())
            for batch in evaluation_batches(task, split, self.whole)
        ]
        return _Loader(len(batches), lambda: iter(batches))


class _Loader:
    """An iterable with a length, which Lightning does not take apart as it would a list."""

    def __init__(self, length: int, start: Callable[[], Iterator[Any]]) -> None:
        self.length = length
        self.start = start

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Any]:
        return self.start()


def label_weights(split: EncodedSplit, classes: int) -> NDArray[np.float64]:
    """Return weights that give every label the same share of the loss: tokens / (C x count)."""
    counts = np.bincount(split.labels, minlength=classes)
    weights: NDArray[np.float64] = counts.sum() / (classes * counts.clip(min=1))
    return weights
