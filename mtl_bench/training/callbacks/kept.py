"""Which weights a run keeps of each task: those of its best evaluation, or the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from mtl_bench.models.tagger import Tagger
from mtl_bench.models.weights import Kept
from mtl_bench.training.callbacks.curves import Curves


class KeptWeights(pl.Callback):
    """Keeps, for each task, a copy of the weights at its best evaluation so far.

    The best is that of the task's own primary metric, the first of equals: the same rule for a task
    alone and beside others, whichever of them is called main. Without an evaluation, or with
    `keep=last`, it is the state in which training ended.
    """

    def __init__(self, curves: Curves, best: bool) -> None:
        """Take the curves, which know the step, and whether the best weights are kept."""
        self.curves = curves
        self.best = best
        self.kept: dict[str, Kept] = {}
        self._scores: dict[str, float] = {}

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:  # noqa: ARG002
        """Copy the weights if a task is better than before."""
        assert isinstance(module, Tagger)
        copy: Kept | None = None
        for task, values in module.evaluated.items() if self.best else ():
            name, metric = next(iter(module.tasks[task].type.metrics.items()))
            score = values[name] if metric.higher_is_better else -values[name]
            if task not in self._scores or score > self._scores[task]:
                copy = copy or Kept(self.curves.step, _copy(module))
                self.kept[task], self._scores[task] = copy, score

    def by_step(self, tagger: Tagger) -> Iterator[tuple[Kept, list[str]]]:
        """Yield what is kept, and the tasks that keep it, once for each step.

        Args:
            tagger: as it is after training.
        """
        last = Kept(self.curves.step, _copy(tagger))  # weights of an earlier step may be loaded
        kept = {task: self.kept.get(task, last) for task in tagger.tasks}
        for step in sorted({each.step for each in kept.values()}):
            tasks = [task for task, each in kept.items() if each.step == step]
            yield kept[tasks[0]], tasks

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs; tasks that keep the same step share its weights."""
        return {
            "scores": dict(self._scores),
            "steps": {task: each.step for task, each in self.kept.items()},
            "weights": {each.step: dict(each.weights) for each in self.kept.values()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._scores = dict(state["scores"])
        copies = {step: Kept(step, weights) for step, weights in state["weights"].items()}
        self.kept = {task: copies[step] for task, step in state["steps"].items()}


def _copy(tagger: Tagger) -> dict[str, Tensor]:
    """Return a copy on the CPU, where there is more memory."""
    return {n: w.detach().to("cpu", copy=True) for n, w in tagger.trained_weights().items()}
