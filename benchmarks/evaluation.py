"""What an evaluation costs: a sentence, and the share of a run at the default interval.

python -m benchmarks.evaluation
"""

from __future__ import annotations

import torch

from benchmarks.step import prepared, whole_steps
from benchmarks.timing import Row, in_turn, show

INTERVAL = 500  # steps between evaluations of `experiment=eacl2017`
STEPS = 20


def measure(task: str, rounds: int = 5) -> tuple[str, list[Row], float]:
    """Return what was measured, steps and a pass over the split, and its share of a run."""
    name, data, tagger = prepared(task)
    optimizer = tagger.configure_optimizers()
    batches = list(data.val_dataloader())
    sentences = sum(len(batch.lengths) for batch in batches)

    def step() -> None:
        tagger.train()
        whole_steps(tagger, optimizer, data, STEPS)

    def evaluate() -> None:
        tagger.eval()
        with torch.no_grad():
            for batch in batches:
                tagger.validation_step(batch)
        tagger.on_validation_epoch_end()

    rows = in_turn({f"{STEPS} training steps": step, "one evaluation": evaluate}, rounds)
    steps = rows[1].ratio * STEPS
    share = steps / (INTERVAL + steps)
    each = 1000 * rows[1].milliseconds / sentences
    title = (
        f"Evaluation: {name}, {sentences:,} sentences, {each:.0f} microseconds each; "
        f"{100 * share:.1f} % of a run that evaluates every {INTERVAL} steps"
    )
    return title, rows, share


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    for task in ("chu", "sem", "ccg_redwoods"):
        title, rows, _ = measure(task)
        show(title, rows)


if __name__ == "__main__":
    main()
