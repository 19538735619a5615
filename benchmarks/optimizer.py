"""Exact lazy Adadelta beside `torch.optim.Adadelta`, by the number of word vectors.

python -m benchmarks.optimizer
"""

from __future__ import annotations

import torch

from benchmarks.timing import Row, in_turn, show
from mtl_bench.models.optimizers.lazy_adadelta import LazyAdadelta

ROWS, WORDS, SIZE = (30_000, 60_000, 400_000), 350, 100


def measure(rows: int, rounds: int = 7) -> list[Row]:
    """Return one update each: of the words of a batch, and of the whole table."""
    random = torch.Generator().manual_seed(0)
    words = torch.randperm(rows, generator=random)[:WORDS].sort().values
    values = torch.randn(WORDS, SIZE, generator=random)

    def update(lazy: bool) -> object:
        table = torch.nn.Parameter(torch.zeros(rows, SIZE))
        sparse = torch.sparse_coo_tensor(
            words[None], values, table.shape, is_coalesced=True, check_invariants=False
        )
        table.grad = sparse if lazy else sparse.to_dense()
        kind = LazyAdadelta if lazy else torch.optim.Adadelta
        return kind([table], lr=0.1, rho=0.95, eps=1e-8).step

    return in_turn({"lazy Adadelta": update(True), "torch.optim.Adadelta": update(False)}, rounds)  # type: ignore[dict-item]


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    for rows in ROWS:
        show(f"Optimiser: {rows:,} vectors of {SIZE}, {WORDS} of them in the batch", measure(rows))


if __name__ == "__main__":
    main()
