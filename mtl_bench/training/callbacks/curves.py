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
        self._pending: dict[str, list[float]] = {}  # losses of a row that is not complete
        self._own_steps: dict[str, int] = {}

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
        for step, parts, loss in zip(chunk.steps, chunk.batches, losses.tolist(), strict=True):
            task = parts[0].task
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss of task '{task}' is {loss} at step {step + 1}. A smaller "
                    "`optimizer.lr` may help."
                )
            self._add(trainer, step, task, loss)
        self.step = chunk.steps.stop

    def _add(self, trainer: pl.Trainer, step: int, task: str, loss: float) -> None:
        losses = self._pending.setdefault(task, [])
        losses.append(loss)
        self._own_steps[task] = self._own_steps.get(task, 0) + 1
        if len(losses) == STEPS_PER_ROW:
            mean = sum(losses) / STEPS_PER_ROW
            losses.clear()
            self.rows.append(
                CurveRow(step + 1, self._own_steps[task], task, "train", {"loss": mean})
            )
            for logger in trainer.loggers:
                logger.log_metrics({f"train/loss/{task}": mean}, step=step + 1)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Add the metrics of an evaluation."""
        assert isinstance(module, Tagger)
        for task, values in module.evaluated.items():
            own_steps = self._own_steps.get(task, 0)
            self.rows.append(CurveRow(self.step, own_steps, task, self.split, dict(values)))
            for logger in trainer.loggers:
                logger.log_metrics(
                    {f"val/{name}/{task}": value for name, value in values.items()}, self.step
                )

    def latest(self) -> dict[str, float]:
        """Return the newest training loss by task."""
        return {row.task: row.values["loss"] for row in self.rows if row.split == "train"}

    def state_dict(self) -> dict[str, Any]:
        """Return all that a resumed run needs, as plain values."""
        return {
            "step": self.step,
            "pending": {task: list(losses) for task, losses in self._pending.items()},
            "own_steps": dict(self._own_steps),
            "rows": [
                [row.step, row.own_step, row.task, row.split, dict(row.values)] for row in self.rows
            ],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self.step = state["step"]
        # A row of ten own steps may be cut by an interruption: its losses continue.
        self._pending = {task: list(losses) for task, losses in state["pending"].items()}
        self._own_steps = dict(state["own_steps"])
        self.rows = [CurveRow(*row) for row in state["rows"]]
