"""Taggers that estimators look at: each task alone, and all in one model, for some steps."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.run_key import schedule_of
from mtl_bench.config.schema import RunConfig
from mtl_bench.errors import UserError
from mtl_bench.models import kernels
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.batches import Batch, Ints
from mtl_bench.models.inputs.prepare import Prepared
from mtl_bench.models.tagger import Tagger
from mtl_bench.tasks.types.labels import Labels
from mtl_bench.training import build
from mtl_bench.training.data import Batching, TaskDataModule

Floats = NDArray[np.float64]
OfPairs = dict[tuple[str, str], float]

SENTENCES = 200
"""Of a main task, that the tagger of an auxiliary looks at."""

MOMENTS, BATCHES = 5, 4
"""Times at which gradients are looked at, evenly from start to end; batches of each."""

RATE = 0.1
"""Of the step of plain gradient descent with which affinity looks ahead."""


@dataclass(frozen=True)
class View:
    """What a tagger makes of sentences of another task: n words.

    Attributes:
        states: [n, D] of its encoder.
        labels: [n] of the other task.
        predicted: [n] labels of its own.
    """

    states: Floats
    labels: Ints
    predicted: Ints


@dataclass
class Cost:
    """What a part of the pilots took.

    Attributes:
        steps: of the optimiser; a gradient alone counts as one, a loss alone as a third.
        seconds: of one process.
    """

    steps: float = 0.0
    seconds: float = 0.0


class Pilots:
    """Tasks and taggers of theirs, which are trained when they are first asked for.

    Attributes:
        tasks: names, sorted.
        corpora: by task.
        prepared: input and encoded splits.
        costs: of what was trained and computed, by part.
        used: parts that were asked for since it was last cleared.
    """

    def __init__(self, config: RunConfig) -> None:
        """Read the tasks.

        Args:
            config: of a run of all tasks; its budget is that of the pilots.

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
        self.config = config
        self.schedule = schedule_of(config)
        self.tasks = config.task_set()
        self.costs = {part: Cost() for part in ("alone", "start", "joint", "gradients", "ahead")}
        self.used: set[str] = set()
        self.corpora = build.read_corpora(config)
        embeddings = make_embeddings(config.embeddings)
        self.prepared = build.prepare_inputs(config, self.corpora, embeddings)

    def pairs(self) -> list[tuple[str, str]]:
        """Return all pairs of a main task and an auxiliary."""
        return list(permutations(self.tasks, 2))

    def views(self) -> dict[tuple[str, str], View]:
        """Return what the tagger of each auxiliary, trained alone, makes of each main task.

        Pairs whose tasks have not a label for each word are left out.
        """
        self.used.add("alone")
        return self._views

    def cosines_at_start(self) -> OfPairs:
        """Return the cosines of the tasks' gradients before the first step of a common model."""
        self.used.add("start")
        return self._start

    def cosines_later(self) -> list[OfPairs]:
        """Return the cosines of gradients at each moment after the start."""
        self.used |= {"joint", "gradients"}
        return self._joint[0]

    def affinities(self) -> list[OfPairs]:
        """Return, at each moment, the relative decrease of a main task's loss.

        It is that after a step along the auxiliary's gradient.
        """
        self.used |= {"joint", "gradients", "ahead"}
        return self._joint[1]

    @contextmanager
    def _counted(self, part: str, steps: float) -> Iterator[None]:
        """Add what is done inside to the costs of a part."""
        start = time.perf_counter()
        yield
        self.costs[part].steps += steps
        self.costs[part].seconds += time.perf_counter() - start

    @cached_property
    def _views(self) -> dict[tuple[str, str], View]:
        budget = round(self.schedule.budget)
        taggers = {}
        for task in self.tasks:
            with self._counted("alone", budget):
                taggers[task] = self._trained_alone(task, budget)
        labelled = [task for task in self.tasks if self._has_labels(task)]
        with self._counted("alone", 0):
            return {
                (main, aux): self._view(taggers[aux], main, aux)
                for main, aux in permutations(labelled, 2)
            }

    def _has_labels(self, task: str) -> bool:
        fitted = self.prepared.tasks[task]
        return fitted.type.level == "word" and isinstance(fitted.targets, Labels)

    def _trained_alone(self, task: str, budget: int) -> Tagger:
        of = self._prepared()
        own = Prepared(
            of.input,
            {task: of.tasks[task]},
            {task: of.train[task]},
            {task: of.curve[task]},
            {task: of.final[task]},
            {task: of.statistics[task]},
        )
        tagger = build.make_tagger(self.config, own)
        data = TaskDataModule(own, lambda *_: task, self.schedule, self._batching())
        _take(tagger, tagger.configure_optimizers(), data, range(budget))
        return tagger.eval()

    @torch.no_grad()
    def _view(self, tagger: Tagger, main: str, aux: str) -> View:
        split = self.prepared.train[main]
        numbers = np.random.default_rng(self.config.seed).permutation(len(split))[:SENTENCES]
        states, labels, predicted = [], [], []
        for part in np.array_split(numbers, max(1, len(numbers) // 32)):
            batch = tagger.input.collate(aux, split, part)
            of_steps = tagger.states(batch)
            # Boundary symbols have labels of their own, behind those of words.
            words = batch.targets < self.prepared.tasks[main].targets.start
            logits = tagger.head(aux)(of_steps, batch)[words]
            states.append(of_steps[words].double().numpy())
            labels.append(batch.targets[words].numpy())
            predicted.append(logits[:, : self.prepared.tasks[aux].targets.start].argmax(1).numpy())
        return View(np.concatenate(states), np.concatenate(labels), np.concatenate(predicted))

    @cached_property
    def _start(self) -> OfPairs:
        with self._counted("start", len(self.tasks) * BATCHES):
            tagger = build.make_tagger(self.config, self._prepared())
            return _cosines(self._gradients(tagger, 0))

    @cached_property
    def _joint(self) -> tuple[list[OfPairs], list[OfPairs]]:
        """Train all tasks in one model; return cosines after the start, and affinities."""
        own = self._prepared()
        tagger = build.make_tagger(self.config, own)
        data = build.make_data(self.config, own, self.schedule, 0)
        optimizer = tagger.configure_optimizers()
        cosines, affinities = [], []
        count, done = len(self.tasks), 0
        for moment in range(MOMENTS):
            end = round(self.schedule.steps * moment / (MOMENTS - 1))
            with self._counted("joint", end - done):
                _take(tagger, optimizer, data, range(done, end))
            with self._counted("gradients", count * BATCHES):
                gradients = self._gradients(tagger, moment)
            with self._counted("ahead", count * (count + 1) * BATCHES / 3):
                affinities.append(self._affinity(tagger, gradients, moment))
            cosines.append(_cosines(gradients))
            done = end
        return cosines[1:], affinities

    def _gradients(self, tagger: Tagger, moment: int) -> dict[str, Tensor]:
        """Return [P] the gradient of the shared encoder for each task, mean over batches.

        Raises:
            UserError: the encoder does not train.
        """
        shared = _shared(tagger)
        if not shared:
            raise UserError("No part of the encoder is trained, so that it has no gradients.")
        gradients = {}
        for task in self.tasks:
            tagger.train()
            torch.manual_seed(0)  # dropout
            total = torch.zeros(sum(p.numel() for p in shared))
            for batch in self._batches(task, moment):
                parts = torch.autograd.grad(tagger.loss(batch), shared)
                total += torch.cat([part.flatten() for part in parts]).float() / BATCHES
            gradients[task] = total
        return gradients

    def _affinity(self, tagger: Tagger, gradients: dict[str, Tensor], moment: int) -> OfPairs:
        """Look ahead along each gradient; the parameters are the same afterwards."""
        shared = _shared(tagger)
        batches = {task: list(self._batches(task, moment)) for task in self.tasks}
        losses = {task: _loss(tagger, of) for task, of in batches.items()}
        affinity = {}
        before = [p.detach().clone() for p in shared]
        for aux, gradient in gradients.items():
            parts = gradient.split([p.numel() for p in shared])
            with torch.no_grad():
                for parameter, part in zip(shared, parts, strict=True):
                    parameter.sub_(RATE * part.view_as(parameter))
            for main in self.tasks:
                if main != aux:
                    affinity[main, aux] = 1 - _loss(tagger, batches[main]) / losses[main]
            with torch.no_grad():
                for parameter, value in zip(shared, before, strict=True):
                    parameter.copy_(value)
        return affinity

    def _batches(self, task: str, moment: int) -> Iterator[Batch]:
        """Yield batches of a task's training sentences that no step of the pilot draws."""
        data = TaskDataModule(self.prepared, lambda *_: task, self.schedule, self._batching())
        for number in range(BATCHES):
            yield data.draw(self.schedule.steps + moment * BATCHES + number)

    def _prepared(self) -> Prepared:
        """Return what a tagger of its own computes with: an input that trains is copied."""
        own: Input[Any] = self.prepared.input
        trains = any(p.requires_grad for p in own.parameters())
        return replace(self.prepared, input=copy.deepcopy(own) if trains else own)

    def _batching(self) -> Batching:
        return Batching(self.config.data.batch_size, self.config.seed)


def _take(tagger: Tagger, optimizer: Optimizer, data: TaskDataModule, steps: range) -> None:
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


def _shared(tagger: Tagger) -> list[nn.Parameter]:
    """Return the parameters of the encoder that train."""
    return [p for p in tagger.encoder.parameters() if p.requires_grad]


@torch.no_grad()
def _loss(tagger: Tagger, batches: list[Batch]) -> float:
    """Return the loss, mean over batches, nothing dropped."""
    tagger.eval()
    return float(torch.stack([tagger.loss(batch) for batch in batches]).mean())


def _cosines(gradients: dict[str, Tensor]) -> OfPairs:
    """Return the cosine of the gradients of each pair; nan where one is 0."""
    lengths = {task: float(gradient.norm()) for task, gradient in gradients.items()}
    return {
        (one, other): float(gradients[one] @ gradients[other]) / (lengths[one] * lengths[other])
        if lengths[one] * lengths[other]
        else math.nan
        for one, other in permutations(gradients, 2)
    }
