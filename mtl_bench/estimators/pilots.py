"""Taggers that estimators look at: each task alone, and all in one model, for some steps."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.run_key import schedule_of
from mtl_bench.config.schema import RunConfig
from mtl_bench.models import kernels
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.batches import Batch, Ints
from mtl_bench.models.tagger import Tagger
from mtl_bench.tasks.types.labels import Labels
from mtl_bench.training import build
from mtl_bench.training.data import Batching, TaskDataModule

Floats = NDArray[np.float64]


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


@dataclass(frozen=True)
class Moment:
    """Gradients and losses of tasks that share a model.

    Attributes:
        gradients: [P] of the shared encoder, by task.
        losses: in nats, by task.
        ahead: loss of a main task after a step along the gradient of an auxiliary.
    """

    gradients: dict[str, Tensor]
    losses: dict[str, float]
    ahead: dict[tuple[str, str], float]


class Pilots:
    """Tasks and taggers of theirs, which are trained when they are first asked for.

    Attributes:
        tasks: names, sorted.
        used: what was asked for since it was last cleared: `alone`, `joint`.
        steps: optimiser steps of each, and the gradients beside them.
        seconds: of each.
    """

    def __init__(self, config: RunConfig) -> None:
        """Read the tasks.

        Args:
            config: of a run of all tasks; its budget is that of the pilots.
        """
        torch.set_num_threads(config.trainer.threads)
        kernels.use(config.trainer.compiled, config.trainer.accelerator)
        self.config = config
        self.schedule = schedule_of(config)
        self.tasks = config.task_set()
        self.used: set[str] = set()
        self.steps = {"alone": 0, "joint": 0}
        self.seconds = {"alone": 0.0, "joint": 0.0}
        self.corpora = build.read_corpora(config)
        embeddings = make_embeddings(config.embeddings)
        self.prepared = build.prepare_inputs(config, self.corpora, embeddings)

    def pairs(self) -> list[tuple[str, str]]:
        """Return all pairs of a main task and an auxiliary."""
        return list(permutations(self.tasks, 2))

    @property
    def views(self) -> dict[tuple[str, str], View]:
        """What the tagger of each auxiliary, trained alone, makes of each main task's sentences.

        Pairs whose tasks have not a label for each word are left out.
        """
        self.used.add("alone")
        return self._views

    @property
    def moments(self) -> list[Moment]:
        """Gradients and losses of all tasks in one model, from start to end of its training."""
        self.used.add("joint")
        return self._moments

    @cached_property
    def _alone(self) -> dict[str, Tagger]:
        """A tagger of each task, trained for the budget."""
        start = time.perf_counter()
        taggers = {}
        for task in self.tasks:
            own = replace(
                self.prepared,
                input=self._input(),
                **{
                    part: {task: getattr(self.prepared, part)[task]}
                    for part in ("tasks", "train", "curve", "final", "statistics")
                },
            )
            tagger = build.make_tagger(self.config, own)
            data = TaskDataModule(own, lambda *_, t=task: t, self.schedule, self._batching())
            optimizer = tagger.configure_optimizers()
            for step in range(round(self.schedule.budget)):
                tagger.take_step(optimizer, step, [data.draw(step)])
            taggers[task] = tagger.eval()
            self.steps["alone"] += round(self.schedule.budget)
        self.seconds["alone"] += time.perf_counter() - start
        return taggers

    @cached_property
    def _views(self) -> dict[tuple[str, str], View]:
        taggers, start = self._alone, time.perf_counter()
        labelled = [t for t in self.tasks if isinstance(self.prepared.tasks[t].targets, Labels)]
        views = {
            (main, aux): self._view(taggers[aux], main, aux)
            for main, aux in permutations(labelled, 2)
        }
        self.seconds["alone"] += time.perf_counter() - start
        return views

    @torch.no_grad()
    def _view(self, tagger: Tagger, main: str, aux: str) -> View:
        split = self.prepared.train[main]
        numbers = np.random.default_rng(self.config.seed).permutation(len(split))[:SENTENCES]
        states, labels, predicted = [], [], []
        for part in np.array_split(numbers, max(1, len(numbers) // 32)):
            batch = tagger.input.collate(aux, split, part)
            of_steps = tagger.states(batch)
            # Boundary symbols have labels of their own, behind those of words.
            names: Labels = self.prepared.tasks[main].targets
            words = batch.targets < names.start
            logits = tagger.head(aux)(of_steps, batch)[words]
            states.append(of_steps[words].double().numpy())
            labels.append(batch.targets[words].numpy())
            predicted.append(logits[:, : self.prepared.tasks[aux].targets.start].argmax(1).numpy())
        return View(np.concatenate(states), np.concatenate(labels), np.concatenate(predicted))

    @cached_property
    def _moments(self) -> list[Moment]:
        start = time.perf_counter()
        own = replace(self.prepared, input=self._input())
        tagger = build.make_tagger(self.config, own)
        data = build.make_data(self.config, own, self.schedule, 0)
        optimizer = tagger.configure_optimizers()
        moments: list[Moment] = []
        done = 0
        for number in range(MOMENTS):
            end = round(self.schedule.steps * number / (MOMENTS - 1))
            for step in range(done, end):
                tagger.take_step(optimizer, step, [data.draw(step)])
            moments.append(self._moment(tagger, number))
            done = end
        # A loss costs about a third of a step.
        evaluations = MOMENTS * BATCHES * len(self.tasks) * (1 + (1 + len(self.tasks)) / 3)
        self.steps["joint"] = done + round(evaluations)
        self.seconds["joint"] = time.perf_counter() - start
        return moments

    def _moment(self, tagger: Tagger, moment: int) -> Moment:
        """Look at a model of all tasks; its parameters are the same afterwards."""
        shared = [p for p in tagger.encoder.parameters() if p.requires_grad]
        batches = {task: list(self._batches(task, moment)) for task in self.tasks}
        gradients = {task: _gradient(tagger, shared, of) for task, of in batches.items()}
        losses = {task: _loss(tagger, of) for task, of in batches.items()}
        ahead: dict[tuple[str, str], float] = {}
        for aux, gradient in gradients.items():
            before = [p.detach().clone() for p in shared]
            with torch.no_grad():
                for parameter, part in zip(shared, _split(gradient, shared), strict=True):
                    parameter.sub_(RATE * part)
            ahead |= {(main, aux): _loss(tagger, of) for main, of in batches.items()}
            with torch.no_grad():
                for parameter, value in zip(shared, before, strict=True):
                    parameter.copy_(value)
        return Moment(gradients, losses, ahead)

    def _batches(self, task: str, moment: int) -> Iterator[Batch]:
        """Yield batches of a task's training sentences that no step of the pilot draws."""
        data = TaskDataModule(self.prepared, lambda *_: task, self.schedule, self._batching())
        for number in range(BATCHES):
            yield data.draw(self.schedule.steps + moment * BATCHES + number)

    def _input(self) -> Input[Any]:
        """Return the input for a tagger of its own: one that trains is copied."""
        own = self.prepared.input
        return copy.deepcopy(own) if any(p.requires_grad for p in own.parameters()) else own

    def _batching(self) -> Batching:
        return Batching(self.config.data.batch_size, self.config.seed)


def _gradient(tagger: Tagger, shared: list[nn.Parameter], batches: list[Batch]) -> Tensor:
    """Return [P] the gradient of the shared parameters, mean over batches."""
    tagger.train()
    torch.manual_seed(0)  # dropout
    total = torch.zeros(sum(p.numel() for p in shared))
    for batch in batches:
        gradients = torch.autograd.grad(tagger.loss(batch), shared)
        total += torch.cat([g.flatten() for g in gradients]).float() / len(batches)
    return total


@torch.no_grad()
def _loss(tagger: Tagger, batches: list[Batch]) -> float:
    """Return the loss, mean over batches, nothing dropped."""
    tagger.eval()
    loss = float(torch.stack([tagger.loss(batch) for batch in batches]).mean())
    tagger.train()
    return loss


def _split(gradient: Tensor, shared: list[nn.Parameter]) -> Iterator[Tensor]:
    """Yield the parts of a gradient in the shapes of the parameters."""
    sizes = [p.numel() for p in shared]
    for part, parameter in zip(gradient.split(sizes), shared, strict=True):
        yield part.view_as(parameter)
