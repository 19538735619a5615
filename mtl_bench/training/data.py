"""Draws the training batches of all steps, and holds the evaluation batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
from numpy.random import Generator

from mtl_bench.errors import UserError
from mtl_bench.models.inputs.batches import Batch, Chunk, EncodedSplit, evaluation_batches
from mtl_bench.models.inputs.prepare import Prepared
from mtl_bench.runs.schedule import Schedule
from mtl_bench.training.samplers.draws import Draws

Sampler = Callable[[int, Generator], str]

# Automatic optimisation costs .75 ms a step, a call of many steps under .1 ms for each.
STEPS_PER_CALL = 50
"""Steps in one call of the module: Lightning's cost per call is spread over them."""


@dataclass(frozen=True)
class Batching:
    """How sentences become batches.

    Attributes:
        size: sentences in a training batch.
        seed: of all draws.
        drop_last: leave out sentences behind the last whole batch of an evaluation.
        parts: of a training batch, equal in size, whose gradients are added up.
    """

    size: int
    seed: int = 0
    drop_last: bool = False
    parts: int = 1


class TaskDataModule(pl.LightningDataModule):
    """Each step draws one task, then a batch of its sentences without replacement.

    One epoch of the Trainer is one interval of the schedule.

    Attributes:
        final_tasks: those whose final metrics are asked for.
    """

    def __init__(
        self,
        prepared: Prepared,
        sampler: Sampler,
        schedule: Schedule,
        batching: Batching,
        start: int = 0,
    ) -> None:
        """Take the encoded sentences.

        Args:
            prepared: input and splits of the run.
            sampler: names the task of a step.
            schedule: of the run.
            batching: how sentences become batches.
            start: steps done already (when a run is resumed or extended).
        """
        super().__init__()
        for task, split in prepared.train.items():
            if len(split) < batching.size:
                raise UserError(
                    f"data.batch_size is {batching.size}, but task '{task}' has only {len(split)} "
                    f"training sentences.\nType `data.batch_size={len(split)}` or less, or leave "
                    "the task out."
                )
        eval_splits = (*prepared.curve.items(), *prepared.final.items())
        for task, split in eval_splits if batching.drop_last else ():
            if len(split) < batching.size:
                raise UserError(
                    f"task '{task}' has {len(split)} sentences to evaluate on, fewer than a whole "
                    f"batch of {batching.size}: nothing would be evaluated.\n"
                    "Type `data.drop_last=false` to evaluate on all of them."
                )
        self.prepared = prepared
        self.sampler = sampler
        self.intervals = schedule.intervals(start)
        self._evaluations = set(schedule.evaluations())
        self.batching = batching
        self._draws = Draws(batching.seed)
        self.final_tasks = list(prepared.final)
        self._curve_batches: _Loader | None = None

    def draw(self, step: int) -> Batch:
        """Return the batch of a step, which follows from (seed, step)."""
        (batch,) = self.draw_parts(step, 1)
        return batch

    def draw_parts(self, step: int, parts: int) -> list[Batch]:
        """Return the batch of a step in equal parts."""
        # Nothing is kept from step to step, so that a resumed run need not replay draws.
        random = self._draws.at(step)
        task = self.sampler(step, random)
        split = self.prepared.train[task]
        numbers = random.choice(len(split), self.batching.size, replace=False)
        return [
            self.prepared.input.collate(task, split, part) for part in numbers.reshape(parts, -1)
        ]

    def chunks(self, steps: range) -> Iterator[Chunk]:
        """Yield consecutive steps with their batches, at most STEPS_PER_CALL at a time."""
        for begin in range(steps.start, steps.stop, STEPS_PER_CALL):
            part = range(begin, min(begin + STEPS_PER_CALL, steps.stop))
            yield Chunk(
                part,
                [self.draw_parts(step, self.batching.parts) for step in part],
                part.stop == steps.stop,
            )

    def train_dataloader(self) -> _Loader:
        """Return the chunks of the interval that the trainer's epoch stands for."""
        epoch = self.trainer.current_epoch if self.trainer else 0
        steps = self.intervals[epoch]
        return _Loader(math.ceil(len(steps) / STEPS_PER_CALL), lambda: self.chunks(steps))

    def val_dataloader(self) -> _Loader:
        """Return the batches of the split that curves are drawn from, of all tasks.

        There are none after the last interval of a run that ends between two evaluations, since a
        run that is trained longer has none there.
        """
        epoch = self.trainer.current_epoch if self.trainer else 0
        if self.intervals and self.intervals[epoch].stop not in self._evaluations:
            return _Loader(0, lambda: iter(()))
        # Kept: the same batches are evaluated hundreds of times.
        if self._curve_batches is None:
            self._curve_batches = self._evaluation(self.prepared.curve)
        return self._curve_batches

    def test_dataloader(self) -> _Loader:
        """Return the batches of the split that final metrics come from, of `final_tasks`."""
        return self._evaluation({task: self.prepared.final[task] for task in self.final_tasks})

    def _evaluation(self, splits: Mapping[str, EncodedSplit]) -> _Loader:
        whole = self.batching.size if self.batching.drop_last else None
        batches = [
            self.prepared.input.collate(task, split, numbers)
            for task, split in sorted(splits.items())
            for numbers in evaluation_batches(split, whole)
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
