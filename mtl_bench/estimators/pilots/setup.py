"""What pilots are trained with: corpora, model, batches and steps of a configuration."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import Optimizer

from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.run_key import schedule_of
from mtl_bench.config.schema import RunConfig
from mtl_bench.errors import UserError
from mtl_bench.models import kernels
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.prepare import Prepared
from mtl_bench.models.tagger import Tagger
from mtl_bench.runs.schedule import Schedule
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.training import build
from mtl_bench.training.data import Batching, TaskDataModule


@dataclass(frozen=True)
class Setup:
    """Tasks, and what taggers of them are made of.

    Attributes:
        config: of a run of all tasks.
        schedule: of that run; its budget is that of the pilots.
        corpora: by task.
        prepared: input and encoded splits.
    """

    config: RunConfig
    schedule: Schedule
    corpora: dict[str, Corpus]
    prepared: Prepared

    @classmethod
    def of(cls, config: RunConfig) -> Setup:
        """Read the tasks of a configuration.

        Raises:
            UserError: there is one task, or it is to run on another device or precision.
        """
        if len(config.task_set()) < 2:
            raise UserError("Estimates take at least two tasks: main=mwe 'aux=[chu,pos]'.")
        if config.trainer.accelerator != "cpu" or config.trainer.precision != "32-true":
            raise UserError(
                "Estimates are made on a processor, with trainer.precision=32-true: leave "
                "trainer=gpu and other precisions out."
            )
        torch.set_num_threads(config.trainer.threads)
        kernels.use(config.trainer.compiled, config.trainer.accelerator)
        corpora = build.read_corpora(config)
        embeddings = make_embeddings(config.embeddings)
        prepared = build.prepare_inputs(config, corpora, embeddings)
        return cls(config, schedule_of(config), corpora, prepared)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks, sorted."""
        return self.config.task_set()

    def of_one_tagger(self) -> Prepared:
        """Return what a tagger of its own computes with: an input that trains is copied."""
        own = self.prepared
        trains = any(p.requires_grad for p in own.input.parameters())
        input_: Input[Any] = copy.deepcopy(own.input) if trains else own.input
        return Prepared(input_, own.tasks, own.train, own.curve, own.final, own.statistics)

    def batches_of(self, task: str, prepared: Prepared) -> TaskDataModule:
        """Return the training batches of one task, which follow from the seed and the step."""
        batching = Batching(self.config.data.batch_size, self.config.seed)
        return TaskDataModule(prepared, lambda *_: task, self.schedule, batching)


def take(tagger: Tagger, optimizer: Optimizer, data: TaskDataModule, steps: range) -> None:
    """Take some steps.

    Raises:
        UserError: the loss is not finite.
    """
    tagger.train()
    for step in steps:
        batch = data.draw(step)
        loss = float(tagger.take_step(optimizer, step, [batch]))
        if not math.isfinite(loss):
            raise UserError(
                f"the loss of task '{batch.task}' is {loss} at step {step + 1} of a pilot. A "
                "smaller `optimizer.lr` may help."
            )
