"""What a step must compute, and how fast this machine could: its matrix products at full speed.

python -m benchmarks.roofline [--task chu] [--rounds 15] [--batches 20]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.step import prepared, whole_steps
from benchmarks.timing import options
from mtl_bench.models.inputs.batches import Batch

SIDE = 512  # of square matrices whose product runs from the cache
NUMBERS = 32_000_000  # of a copy that goes through memory


def products(batch: Batch, dim: int, hidden: int, labels: int) -> int:
    """Return the floating-point operations in a step's matrix products.

    Each product of the forward pass has two more of the same size in the backward pass, for the
    gradients of its two sides.
    """
    words, steps, sentences = len(batch.rows), len(batch), len(batch.lengths)
    inputs = words * dim * 8 * hidden  # both directions, four gates
    recurrent = (steps - sentences) * hidden * 8 * hidden
    head = steps * 2 * hidden * labels
    return 3 * 2 * (inputs + recurrent + head)


def median(act: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of something."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        act()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def measure(task: str, rounds: int = 15, count: int = 20) -> tuple[str, dict[str, float]]:
    """Return what was measured: rates, the operations of a step, how near to the rates it comes."""
    name, data, tagger = prepared(task)
    batches = [data.draw(step) for step in range(count)]
    hidden = tagger.encoder.size // 2
    shape = tagger.input.size, hidden, len(tagger.tasks[name].targets)
    work = statistics.mean(products(batch, *shape) for batch in batches)
    left, right = torch.randn(2, SIDE, SIDE)
    source, target = torch.randn(2, NUMBERS)
    rate = 2 * SIDE**3 / median(lambda: left @ right, rounds)
    copied = 2 * source.nbytes / median(lambda: target.copy_(source), rounds)
    found = {
        "billion operations a second, products": rate / 1e9,
        "billion bytes a second, copies": copied / 1e9,
        "million operations a step, products": work / 1e6,
        "milliseconds a step, products alone": 1000 * work / rate,
    }
    for kind, steps in whole_steps(name, count).items():
        steps.take()
        step = median(steps.take, rounds) / count
        found[f"{kind}: milliseconds a step"] = 1000 * step
        found[f"{kind}: share of a step that its products need"] = work / rate / step
    return f"Roofline: {name}", found


def show(title: str, found: dict[str, float]) -> None:
    """Print what was measured."""
    print(f"\n{title}")
    for name, value in found.items():
        print(f"  {name:52s} {value:9.2f}")


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    show(*measure(given.task, given.rounds, given.batches))


if __name__ == "__main__":
    main()
