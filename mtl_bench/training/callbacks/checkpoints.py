"""Saving a run while it trains, and going on from there.

A checkpoint holds plain values and tensors only: `torch.load(..., weights_only=True)` reads it in
any process. A resumed run repeats the uninterrupted one bit for bit, since every draw follows
from (seed, step).
"""

from __future__ import annotations

import pickle
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch

from mtl_bench.errors import UserError
from mtl_bench.models.inputs.batches import Chunk
from mtl_bench.models.weights import save
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.signals import Interrupted, is_worker, stop_signals


class Checkpoints(pl.Callback):
    """Saves the run every so often, and when SIGINT or SIGTERM asks it to stop.

    A second signal of the same kind acts at once.
    """

    def __init__(
        self,
        path: Path,
        config_hash: str,
        curves: Curves,
        every_seconds: float,
        overwrite: bool = False,
    ) -> None:
        """Read the checkpoint, if there is one, and continue its curves.

        Args:
            path: of the checkpoint.
            config_hash: of the run.
            curves: kept with the checkpoint.
            every_seconds: between two saves.
            overwrite: ignore a checkpoint that is damaged or of another configuration.

        Raises:
            UserError: the checkpoint is damaged or of another configuration.
        """
        self.path = path
        self.config_hash = config_hash
        self.curves = curves
        self.every_seconds = every_seconds
        self.seconds_before = 0.0
        self._asked: int | None = None
        self._previous: dict[int, Any] = {}
        self._state = self._read(overwrite)
        if self._state:
            curves.load_state_dict(self._state["curves"])
            self.seconds_before = self._state["seconds"]
        self._started = self._saved = time.monotonic()

    def _read(self, overwrite: bool) -> dict[str, Any] | None:
        if not self.path.exists():
            return None
        remedy = "Type `overwrite=true` to train from the start, or choose another `sweep_name`."
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
            of = state["config_hash"]
        except (OSError, RuntimeError, EOFError, LookupError, pickle.UnpicklingError):
            if overwrite:
                return None
            raise UserError(f"{self.path}: the checkpoint cannot be read.\n{remedy}") from None
        if of != self.config_hash and overwrite:
            return None
        if of != self.config_hash:
            raise UserError(
                f"{self.path}: the checkpoint is of a run with another configuration.\n{remedy}"
            )
        return state

    @property
    def steps_done(self) -> int:
        """The steps done: where to go on from."""
        return self.curves.step

    @property
    def seconds(self) -> float:
        """Training time so far, that of earlier parts of the run included."""
        return self.seconds_before + time.monotonic() - self._started

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:  # noqa: ARG002
        """Listen to signals while the model trains."""
        if stage == "fit" and threading.current_thread() is threading.main_thread():
            for number in stop_signals():
                self._previous[number] = signal.signal(number, self._ask)

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:  # noqa: ARG002
        """Stop listening."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._asked = number
        signal.signal(number, signal.SIG_IGN if is_worker() else self._previous[number])

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Continue from the checkpoint; the module has its final dtype and device by now."""
        if self._state:
            module.load_state_dict(self._state["model"])
            trainer.optimizers[0].load_state_dict(self._state["optimizer"])
            self._state = None

    def on_test_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:  # noqa: ARG002
        """Load the model of a run that was killed after its last step."""
        if self._state:
            module.load_state_dict(self._state["model"])
            self._state = None

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,  # noqa: ARG002
        chunk: Chunk,
        _: int,
    ) -> None:
        """Save if it is time, except where an evaluation is due, which belongs to the state."""
        if not chunk.last_of_interval:
            self._save_if_due(trainer, module)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Save if it is time, after an evaluation."""
        self._save_if_due(trainer, module)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Save what is trained: the final evaluation may be long, and be stopped."""
        self.save(trainer, module)

    def _save_if_due(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self._asked or time.monotonic() - self._saved >= self.every_seconds:
            self.save(trainer, module)
        if self._asked:
            raise Interrupted(self._asked)

    def save(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Write the checkpoint; the old one stays until the new one is complete."""
        state = {
            "config_hash": self.config_hash,
            "model": module.state_dict(),
            "optimizer": trainer.optimizers[0].state_dict(),
            "curves": self.curves.state_dict(),
            "seconds": self.seconds,
        }
        save(state, self.path)
        self._saved = time.monotonic()
