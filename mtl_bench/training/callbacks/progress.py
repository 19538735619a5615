"""What a person sees while a run trains, and after it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from mtl_bench.models.inputs.batches import Chunk
from mtl_bench.models.tagger import Tagger
from mtl_bench.runs.record import RECORD, Record
from mtl_bench.training.callbacks.curves import Curves


class Progress(pl.Callback):
    """A bar with losses and time left on a terminal, else a line after each tenth of the run."""

    def __init__(
        self,
        curves: Curves,
        tasks: Sequence[str],
        steps: int,
        shown: bool,
        beat: Callable[[int, int], None],
    ) -> None:
        """Take what to show, and whether.

        Args:
            curves: of the run.
            tasks: of the run, in the order to show them in.
            steps: of the run in all.
            shown: whether a person looks on here.
            beat: called with the step reached and `steps`, for those who look on from elsewhere.
        """
        self.curves = curves
        self.tasks = tasks
        self.steps = steps
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

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Print a line where there is no terminal."""
        assert isinstance(module, Tagger)
        step = self.curves.step
        interval = trainer.datamodule.schedule.interval  # type: ignore[attr-defined]  # TaskDataModule
        if (
            self.shown
            and not self._bar
            and step * 10 // self.steps > (step - interval) * 10 // self.steps
        ):
            scores = " ".join(f"{task}={module.evaluated[task]['f1']:.4f}" for task in self.tasks)
            print(
                f"step {step}/{self.steps}  {self._speed():.0f} steps/s  "
                f"{self._losses()}  {self.curves.split} F1 {scores}",
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


def summary(record: Record, folder: Path) -> None:
    """Print the final metrics: a table on a terminal, else plain lines."""
    console = Console()
    names = ("f1", "accuracy", "span_f1", "loss")
    rows = [
        [task, of.final_split, *(f"{of.final[n]:.4f}" if n in of.final else "-" for n in names)]
        for task, of in record.main_first()
    ]
    header = ["task", "split", "F1", "accuracy", "span F1", "loss"]
    if console.is_terminal:
        table = Table(*header)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    else:
        for row in rows:
            print(row[0], *(f"{h}={v}" for h, v in zip(header[1:], row[1:], strict=True)), sep="  ")
    print(f"record: {folder / RECORD}")
