"""The curve of a run: losses while it trains, metrics when it is evaluated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from mtl_bench.models.inputs.batches import Chunk
from mtl_bench.models.tagger import Tagger
from mtl_bench.runs.curve import CurveRow

STEPS_PER_ROW = 10
"""Own steps of a task whose mean loss makes one row: a line of the paper's released logs."""


class Curves(pl.Callback):
    """Collects the rows of `curve.csv`, and passes them to the loggers that people look at.

    Each task has a row for every ten of its OWN steps, whatever is drawn in between.
    """

    def __init__(self, split: str) -> None:
        """Take the name of the split that is evaluated after each interval."""
        self.split = split
        self.rows: list[CurveRow] = []
        self.step = 0
        self._open: dict[str, list[float]] = {}
        self._own: dict[str, int] = {}

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,  # noqa: ARG002 (a hook's signature)
        outputs: Any,
        chunk: Chunk,
        _: int,
    ) -> None:
        """Add the losses of a chunk."""
        losses: Tensor = outputs["losses"]
        for step, batch, loss in zip(chunk.steps, chunk.batches, losses.tolist(), strict=True):
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss of task '{batch.task}' is {loss} at step {step + 1}. A smaller "
                    "`optimizer.lr` may help."
                )
            self._add(trainer, step, batch.task, loss)
        self.step = chunk.steps.stop

    def _add(self, trainer: pl.Trainer, step: int, task: str, loss: float) -> None:
        waiting = self._open.setdefault(task, [])
        waiting.append(loss)
        self._own[task] = self._own.get(task, 0) + 1
        if len(waiting) == STEPS_PER_ROW:
            mean = sum(waiting) / STEPS_PER_ROW
            waiting.clear()
            self.rows.append(CurveRow(step + 1, self._own[task], task, "train", mean))
            for logger in trainer.loggers:
                logger.log_metrics({f"train/loss/{task}": mean}, step=step + 1)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Add the metrics of an evaluation."""
        assert isinstance(module, Tagger)
        for task, values in module.evaluated.items():
            metrics = {name: value for name, value in values.items() if name in CurveRow.METRICS}
            self.rows.append(
                CurveRow(self.step, self._own.get(task, 0), task, self.split, **metrics)
            )
            for logger in trainer.loggers:
                logger.log_metrics(
                    {f"val/{name}/{task}": value for name, value in metrics.items()}, self.step
                )

    def latest(self) -> dict[str, float]:
        """Return the newest training loss by task."""
        return {row.task: row.loss for row in self.rows if row.split == "train"}

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs, as plain values."""
        return {
            "step": self.step,
            "open": {task: list(losses) for task, losses in self._open.items()},
            "own": dict(self._own),
            "rows": [row.cells() for row in self.rows],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self.step = state["step"]
        self._open = {task: list(losses) for task, losses in state["open"].items()}
        self._own = dict(state["own"])
        self.rows = [CurveRow.from_cells(cells) for cells in state["rows"]]
