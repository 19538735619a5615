"""What an evaluation costs: a sentence, and the share of a run at the default interval.

python -m benchmarks.evaluation
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch

from benchmarks.step import Steps, here, whole_steps
from benchmarks.timing import Row, in_turn, show
from mtl_bench.models.inputs.batches import Batch

INTERVAL = 500  # steps between evaluations of `experiment=eacl2017`
STEPS = 20


def measure(task: str, rounds: int = 5) -> tuple[str, list[Row]]:
    """Return what was measured, and the rows: steps, and a pass over the split."""
    sides: dict[str, Callable[[], object]] = {}
    models = whole_steps(task, STEPS)
    for kind, steps in models.items():
        batches = list(steps.data.val_dataloader())
        sides[f"{kind}: {STEPS} training steps"] = functools.partial(train, steps)
        sides[f"{kind}: one evaluation"] = functools.partial(evaluate, steps, batches)
    task = here(task)
    sentences = sum(len(batch.lengths) for batch in batches)
    rows = in_turn(sides, rounds)
    title = f"Evaluation: {task}, {sentences:,} sentences"
    for kind, steps, once in zip(models, rows[::2], rows[1::2], strict=True):
        share = once.milliseconds / (INTERVAL / STEPS * steps.milliseconds + once.milliseconds)
        title += f"; {kind}: {1000 * once.milliseconds / sentences:.0f} microseconds each, "
        title += f"{100 * share:.1f} % of a run that evaluates every {INTERVAL} steps"
    return title, rows


def train(steps: Steps) -> None:
    """Take training steps."""
    steps.tagger.train()
    steps.take()


def evaluate(steps: Steps, batches: list[Batch]) -> None:
    """Evaluate on all batches."""
    steps.choose_loops()
    steps.tagger.eval()
    with torch.no_grad():
        for batch in batches:
            steps.tagger.validation_step(batch)
    steps.tagger.on_validation_epoch_end()


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    for task in ("chu", "sem", "ccg_redwoods"):
        show(*measure(task))


if __name__ == "__main__":
    main()
