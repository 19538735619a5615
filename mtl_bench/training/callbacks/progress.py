"""What a person sees while a run trains."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from mtl_bench.models.inputs.batches import Chunk
from mtl_bench.models.tagger import Tagger
from mtl_bench.runs.record import Record
from mtl_bench.runs.schedule import Schedule
from mtl_bench.training.callbacks.curves import Curves


class Progress(pl.Callback):
    """A bar with losses and time left on a terminal, else a line after each tenth of the run."""

    def __init__(
        self,
        curves: Curves,
        record: Record,
        schedule: Schedule,
        shown: bool,
        beat: Callable[[int, int], None],
    ) -> None:
        """Take what to show, and whether.

        Args:
            curves: of the run.
            record: of the run, whose tasks are described.
            schedule: of the run.
            shown: whether a person looks on here.
            beat: called with the step reached and those in all, for those who look on from
                elsewhere.
        """
        self.curves = curves
        self.tasks = dict(record.main_first())
        self.steps = schedule.steps
        # A line after the first evaluation in each tenth of the run.
        self._lines = {step * 10 // self.steps: step for step in schedule.evaluations()[::-1]}
        self.shown = shown
        self.beat = beat
        self.console = Console(stderr=True)
        self._bar: Bar | None = None
        self._begin = (0, time.monotonic())

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:  # noqa: ARG002
        """Open the bar."""
        self.beat(self.curves.step, self.steps)
        self._begin = (self.curves.step, time.monotonic())
        if self.shown and self.console.is_terminal:
            self._bar = Bar(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[speed]} steps/s"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[values]}"),
                console=self.console,
            )
            self._bar.add_task(
                "", total=self.steps, completed=self.curves.step, speed="", values=""
            )
            self._bar.start()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        module: pl.LightningModule,  # noqa: ARG002
        outputs: Any,  # noqa: ARG002
        chunk: Chunk,
        _: int,
    ) -> None:
        """Move the bar."""
        self.beat(chunk.steps.stop, self.steps)
        if self._bar:
            self._bar.update(
                self._bar.task_ids[0],
                completed=chunk.steps.stop,
                speed=f"{self._speed():.0f}",
                values=self._losses(),
            )

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:  # noqa: ARG002
        """Print a line where there is no terminal."""
        assert isinstance(module, Tagger)
        step = self.curves.step
        if self.shown and not self._bar and self._lines.get(step * 10 // self.steps) == step:
            scores = "  ".join(
                f"{name} {task.metrics[task.primary].title} "
                f"{module.evaluated[name][task.primary]:.4f}"
                for name, task in self.tasks.items()
            )
            print(
                f"step {step}/{self.steps}  {self._speed():.0f} steps/s  "
                f"{self._losses()}  {self.curves.split}: {scores}",
                file=sys.stderr,
                flush=True,
            )

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:  # noqa: ARG002
        """Close the bar."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _speed(self) -> float:
        step, begin = self._begin
        return (self.curves.step - step) / max(time.monotonic() - begin, 1e-9)

    def _losses(self) -> str:
        latest = self.curves.latest()
        losses = " ".join(f"{task}={latest[task]:.3f}" for task in self.tasks if task in latest)
        return f"loss {losses}" if losses else ""
