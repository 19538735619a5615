"""A tagger of each task alone, and what it makes of the sentences of another task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mtl_bench.analysis.arrays import Floats
from mtl_bench.estimators.pilots.setup import Setup, take
from mtl_bench.models.inputs.batches import Ints
from mtl_bench.models.inputs.prepare import Prepared
from mtl_bench.models.tagger import Tagger
from mtl_bench.tasks.types.labels import Labels
from mtl_bench.training import build

SENTENCES = 200
"""Of a main task, that the tagger of an auxiliary looks at."""


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

    def centred(self) -> Floats | None:
        """Return [n, D] states less their mean.

        None: they say nothing, since they are not finite, or all the same, or all of one label.
        """
        states = self.states - self.states.mean(axis=0)
        says = np.isfinite(states).all() and states.any() and len(np.unique(self.labels)) > 1
        return states if says else None


def trained_alone(setup: Setup, task: str, steps: int) -> Tagger:
    """Return the tagger of one task after some steps."""
    every = setup.of_one_tagger()
    own = Prepared(
        every.input,
        {task: every.tasks[task]},
        {task: every.train[task]},
        {task: every.curve[task]},
        {task: every.final[task]},
        {task: every.statistics[task]},
    )
    tagger = build.make_tagger(setup.config, own)
    take(tagger, tagger.configure_optimizers(), setup.batches_of(task, own), range(steps))
    return tagger.eval()


def has_labels(setup: Setup, task: str) -> bool:
    """Return whether a task has a label for each word."""
    fitted = setup.prepared.tasks[task]
    return fitted.type.level == "word" and isinstance(fitted.targets, Labels)


@torch.no_grad()
def view(setup: Setup, tagger: Tagger, main: str, aux: str) -> View:
    """Return what the tagger of an auxiliary makes of sentences of a main task."""
    split = setup.prepared.train[main]
    numbers = np.random.default_rng(setup.config.seed).permutation(len(split))[:SENTENCES]
    states, labels, predicted = [], [], []
    for part in np.array_split(numbers, max(1, len(numbers) // 32)):
        batch = tagger.input.collate(aux, split, part)
        of_steps = tagger.states(batch)
        # Boundary symbols have labels of their own, behind those of words.
        words = batch.targets < setup.prepared.tasks[main].targets.start
        logits = tagger.outputs(aux, of_steps, batch)[words]
        states.append(of_steps[words].double().numpy())
        labels.append(batch.targets[words].numpy())
        predicted.append(logits[:, : setup.prepared.tasks[aux].targets.start].argmax(1).numpy())
    return View(np.concatenate(states), np.concatenate(labels), np.concatenate(predicted))
