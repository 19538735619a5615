"""All tasks in one model: their gradients, and what a step of one does to the loss of another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import permutations

import torch
from torch import Tensor, nn

from mtl_bench.errors import UserError
from mtl_bench.estimators.pilots.setup import Setup
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.models.tagger import Tagger

MOMENTS, BATCHES = 5, 4
"""Times at which gradients are looked at, evenly from start to end; batches of each."""

RATE = 0.1
"""Of the step of plain gradient descent with which affinity looks ahead."""

Gradients = dict[str, Tensor]
"""By task: [P] the gradient of the shared encoder, mean over batches."""

OfPairs = dict[tuple[str, str], float]
"""By main task and auxiliary."""


def gradients(setup: Setup, tagger: Tagger, moment: int) -> Gradients:
    """Return the gradients at a moment.

    Raises:
        UserError: the encoder does not train.
    """
    shared = _shared(tagger)
    if not shared:
        raise UserError("No part of the encoder is trained, so that it has no gradients.")
    result = {}
    tagger.train()
    for task in setup.tasks:
        torch.manual_seed(0)  # dropout
        total = torch.zeros(sum(p.numel() for p in shared))
        for batch in batches(setup, task, moment):
            parts = torch.autograd.grad(tagger.loss(batch), shared)
            total += torch.cat([part.flatten() for part in parts]).float() / BATCHES
        result[task] = total
    return result


def cosines(of_tasks: Gradients) -> OfPairs:
    """Return the cosine of the gradients of each pair; nan where one is 0."""
    lengths = {task: float(gradient.norm()) for task, gradient in of_tasks.items()}
    return {
        (one, other): float(of_tasks[one] @ of_tasks[other]) / (lengths[one] * lengths[other])
        if lengths[one] * lengths[other]
        else math.nan
        for one, other in permutations(of_tasks, 2)
    }


@torch.no_grad()
def affinities(setup: Setup, tagger: Tagger, of_tasks: Gradients, moment: int) -> OfPairs:
    """Return the relative decrease of a main task's loss after a step along each gradient.

    The parameters are the same afterwards.
    """
    shared = _shared(tagger)
    own = {task: list(batches(setup, task, moment)) for task in setup.tasks}
    tagger.eval()  # nothing dropped
    losses = {task: _loss(tagger, of) for task, of in own.items()}
    before = [p.clone() for p in shared]
    result = {}
    for aux, gradient in of_tasks.items():
        parts = gradient.split([p.numel() for p in shared])
        for parameter, part in zip(shared, parts, strict=True):
            parameter.sub_(RATE * part.view_as(parameter))
        for main in setup.tasks:
            if main != aux:
                result[main, aux] = 1 - _loss(tagger, own[main]) / losses[main]
        for parameter, value in zip(shared, before, strict=True):
            parameter.copy_(value)
    return result


def batches(setup: Setup, task: str, moment: int) -> Iterator[Batch]:
    """Yield batches of a task's training sentences that no step of the pilot draws."""
    data = setup.batches_of(task, setup.prepared)
    for number in range(BATCHES):
        yield data.draw(setup.schedule.steps + moment * BATCHES + number)


def _shared(tagger: Tagger) -> list[nn.Parameter]:
    """Return the parameters of the encoder that train."""
    return [p for p in tagger.encoder.parameters() if p.requires_grad]


def _loss(tagger: Tagger, own: list[Batch]) -> float:
    return float(torch.stack([tagger.loss(batch) for batch in own]).mean())
