"""Saving a run while it trains, and resuming from what was saved.

A checkpoint holds plain values and tensors only, behind a header line that needs no torch. A
resumed run repeats the uninterrupted one bit for bit, since every draw follows from (seed, step).
"""

from __future__ import annotations

import hashlib
import io
import json
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
from mtl_bench.files import write_atomically
from mtl_bench.models.inputs.batches import Chunk
from mtl_bench.runs.checkpoint_header import CheckpointHeader
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.callbacks.kept import KeptWeights
from mtl_bench.training.signals import Interrupted, is_worker, stop_signals


class Checkpoints(pl.Callback):
    """Saves the run every so often, and when SIGINT or SIGTERM asks it to stop.

    A second signal of the same kind acts at once.
    """

    def __init__(
        self, path: Path, run_key: str, curves: Curves, kept: KeptWeights, every_seconds: float
    ) -> None:
        """Take where to save, and what is saved beside the model and its optimizer.

        Args:
            path: of the checkpoint.
            run_key: of the run.
            curves: of the run.
            kept: weights of the run.
            every_seconds: between two saves.
        """
        self.path = path
        self.run_key = run_key
        self.curves = curves
        self.kept = kept
        self.every_seconds = every_seconds
        self._seconds_before = 0.0
        self._signal: int | None = None
        self._trainer: pl.Trainer | None = None
        self._previous: dict[int, Any] = {}
        self._state: dict[str, Any] | None = None
        self._started = self._saved = time.monotonic()

    def read(self) -> None:
        """Read the checkpoint: curves and kept weights now, the rest when training starts.

        Raises:
            UserError: it is damaged.
        """
        try:
            with self.path.open("rb") as stream:
                header = CheckpointHeader(**json.loads(stream.readline()))
                content = stream.read()
            # torch does not see damage inside of tensors; earlier versions wrote no checksum.
            if header.sha256 and hashlib.sha256(content).hexdigest() != header.sha256:
                raise EOFError("damaged")
            self._state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            assert self._state is not None
            self.curves.load_state_dict(self._state["curves"])
            self.kept.load_state_dict(self._state["kept"])
            self._seconds_before = self._state["seconds"]
        except (
            OSError,
            RuntimeError,
            EOFError,
            LookupError,
            ValueError,
            TypeError,
            pickle.UnpicklingError,
        ):
            raise UserError(
                f"{self.path}: the checkpoint cannot be read.\n"
                "Type `overwrite=true` to train from the start, or choose another `sweep_name`."
            ) from None

    @property
    def seconds(self) -> float:
        """Training time so far, that of earlier parts of the run included."""
        return self._seconds_before + time.monotonic() - self._started

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:  # noqa: ARG002
        """Listen to signals while the model trains."""
        self._trainer = trainer
        if stage == "fit" and threading.current_thread() is threading.main_thread():
            for number in stop_signals():
                self._previous[number] = signal.signal(number, self._ask)

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:  # noqa: ARG002
        """Stop listening."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._signal = number
        if self._trainer is not None:
            # Lightning would stop in the middle of an evaluation, before anything is saved.
            self._trainer._signal_connector.received_sigterm = False
        signal.signal(number, signal.SIG_IGN if is_worker() else self._previous[number])

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Continue from the checkpoint; the module has its final dtype and device by now."""
        if self._state:
            module.load_state_dict(self._state["model"])
            trainer.optimizers[0].load_state_dict(self._state["optimizer"])
            self._state = None

    def load_trained(self, module: pl.LightningModule) -> None:
        """Load the model of a run that was stopped after its last step."""
        assert self._state is not None  # `read` was called
        module.to(next(w.dtype for w in self._state["model"].values() if w.is_floating_point()))
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
        if self._signal:
            raise Interrupted(self._signal)

    def _save_if_due(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self._signal or time.monotonic() - self._saved >= self.every_seconds:
            self.save(trainer, module)
        if self._signal:
            raise Interrupted(self._signal)

    def save(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Write the checkpoint; the old one stays until the new one is complete."""
        state = {
            "model": module.state_dict(),
            "optimizer": trainer.optimizers[0].state_dict(),
            "curves": self.curves.state_dict(),
            "kept": self.kept.state_dict(),
            "seconds": self.seconds,
        }
        content = io.BytesIO()
        torch.save(state, content)
        digest = hashlib.sha256(content.getbuffer()).hexdigest()
        header = CheckpointHeader(self.run_key, self.curves.step, digest)
        write_atomically(self.path, header.line() + content.getbuffer())
        self._saved = time.monotonic()
