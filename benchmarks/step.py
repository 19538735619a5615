"""What a training step costs, as a multiple of packed `nn.LSTM` forward and backward alone.

    python -m benchmarks.step [--task chu] [--rounds 15] [--batches 20]

All sides see the same batches in turn, on one thread. Lightning's part is what a `Trainer.fit`
takes beyond drawing batches and the module's own steps.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from benchmarks.timing import Row, in_turn, options, show
from mtl_bench.config.compose import compose_run, register
from mtl_bench.config.run_key import schedule_of
from mtl_bench.config.tasks import plain_task
from mtl_bench.errors import UserError
from mtl_bench.models import kernels
from mtl_bench.models.inputs.batches import Batch, Chunk
from mtl_bench.models.tagger import Tagger
from mtl_bench.tasks.definition import LANGUAGE_MODEL, data_folder
from mtl_bench.training import build, run
from mtl_bench.training.data import TaskDataModule


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    show(*measure(given.task, given.rounds, given.batches))
    share = lightning_share(given.task)
    print(f"  {'Lightning, of a fit of 500 steps':44s} {100 * share:9.1f} %")


def measure(task: str, rounds: int = 15, count: int = 20) -> tuple[str, list[Row]]:
    """Return what was measured, and the rows: whole steps and parts of them."""
    name, data, tagger = prepared(task)
    batches = [data.draw(step) for step in range(count)]
    sides: dict[str, Callable[[], object]] = {
        "packed nn.LSTM, forward and backward": lstm_alone(batches),
        "drawing the batch": lambda: [data.draw(step) for step in range(count)],
    }
    for kind, whole in whole_steps(name, count).items():
        sides[f"{kind}: whole training step"] = whole.take
        sides[f"{kind}:   forward, loss, backward"] = functools.partial(whole.compute, batches)
        sides[f"{kind}:   optimiser"] = whole.update
    for kind, whole in whole_steps(f"{LANGUAGE_MODEL}{name}", count).items():
        sides[f"{kind}: step of a language model"] = whole.take
    tokens = sum(map(len, batches)) / len(batches)
    labels = len(tagger.tasks[name].targets)
    title = (
        f"Training step: {name}, {labels} labels, batches of 32 sentences, {tokens:.0f} tokens, "
        f"1 thread, torch {torch.__version__}"
    )
    return title, in_turn(sides, rounds, count)


@dataclass(frozen=True)
class Steps:
    """Some steps of a model, whole or in parts."""

    tagger: Tagger
    optimizer: torch.optim.Optimizer
    data: TaskDataModule
    count: int
    compiled: bool

    def choose_loops(self) -> None:
        """Make this model's loops those of the process."""
        kernels.use(self.compiled)

    def take(self) -> None:
        """Draw batches, then compute and update with each, as a fit does."""
        self.choose_loops()
        for chunk in self.data.chunks(range(self.count)):
            for step, parts in zip(chunk.steps, chunk.batches, strict=True):
                self.tagger.take_step(self.optimizer, step, parts)

    def compute(self, batches: list[Batch]) -> None:
        """Forward, loss and backward, without drawing or updating."""
        self.choose_loops()
        for batch in batches:
            self.tagger.zero_grad()
            self.tagger.loss(batch).backward()

    def update(self) -> None:
        """Update with the gradients that are there."""
        self.choose_loops()
        for _ in range(self.count):
            self.optimizer.step()


def whole_steps(task: str, count: int) -> dict[str, Steps]:
    """Return the steps of the plain model, and of the compiled one where that can be built."""
    found = {}
    for name, compiled in (("plain", False), ("compiled", True)):
        if kernels.use(compiled) == name:
            _, data, tagger = prepared(task)
            found[name] = Steps(tagger, tagger.configure_optimizers(), data, count, compiled)
    return found


@cache
def here(task: str) -> str:
    """Return a task, or the synthetic one that takes its part where its data is not here."""
    register()
    try:
        data_folder(plain_task(task))
    except UserError as error:
        synthetic = f"syn_{task.partition('_')[0]}"
        print(
            f"{error}\nmeasuring {synthetic} instead, whose sentences are shorter", file=sys.stderr
        )
        return synthetic
    return task


def prepared(task: str, *overrides: str) -> tuple[str, TaskDataModule, Tagger]:
    """Return a task's name, batches and model, at the paper's protocol."""
    task = here(task)
    protocol = ["experiment=eacl2017", "embeddings=random", f"main={task}"]
    config, _ = compose_run([*protocol, *overrides])
    parts = build.assemble(config, schedule_of(config))
    return task, parts.data, parts.tagger


def lstm_alone(batches: list[Batch]) -> Callable[[], None]:
    """Return a function that takes packed sequences through `nn.LSTM` and back."""
    lstm = torch.nn.LSTM(100, 100, bidirectional=True)
    inputs: list[Tensor] = [torch.randn(len(b), 100, requires_grad=True) for b in batches]
    outer = [torch.randn(len(b), 200) for b in batches]

    def act() -> None:
        for batch, leaf, gradient in zip(batches, inputs, outer, strict=True):
            lstm.zero_grad()
            leaf.grad = None
            lstm(PackedSequence(leaf, batch.sizes))[0].data.backward(gradient)

    return act


def lightning_share(task: str) -> float:
    """Return the share of a fit that is neither drawing batches nor the module's step."""
    _, data, tagger = prepared(task)
    spent = 0.0

    def timed(act: Callable[[Chunk, int], dict[str, Tensor]]) -> Callable[..., dict[str, Tensor]]:
        @functools.wraps(act)
        def wrapper(chunk: Chunk, number: int) -> dict[str, Tensor]:
            nonlocal spent
            begin = time.perf_counter()
            result = act(chunk, number)
            spent += time.perf_counter() - begin
            return result

        return wrapper

    def chunks(steps: range) -> Iterator[Chunk]:
        nonlocal spent
        begin = time.perf_counter()
        for chunk in TaskDataModule.chunks(data, steps):
            spent += time.perf_counter() - begin
            yield chunk
            begin = time.perf_counter()

    tagger.training_step = timed(tagger.training_step)  # type: ignore[method-assign]
    data.chunks = chunks  # type: ignore[method-assign]
    run.quiet_lightning()
    clock = Clock()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        callbacks=[clock],
    )
    trainer.fit(tagger, datamodule=data)
    return 1 - spent / clock.seconds


class Clock(pl.Callback):
    """Times a fit from its first to its last step."""

    seconds = 0.0

    def on_train_start(self, *_: object) -> None:
        """Start."""
        self.seconds = -time.perf_counter()

    def on_train_end(self, *_: object) -> None:
        """Stop."""
        self.seconds += time.perf_counter()


if __name__ == "__main__":
    main()
