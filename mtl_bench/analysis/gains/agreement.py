"""Whether measured gains recover a known truth, such as that of the embedded tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.evaluation.metrics import middle, rank_correlation

DRAWS = 1000

Pairs = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Recovery:
    """Rank correlations of measured gains with the truth.

    Attributes:
        pairs: how many were compared.
        whole: over all pairs.
        interval: the middle 95 percent of `whole` when main tasks are resampled.
        within: mean over main tasks of the correlation among their auxiliaries.
        shuffled: the middle 95 percent of `whole` when the truth is that of other tasks.
    """

    pairs: int
    whole: float
    interval: tuple[float, float]
    within: float
    shuffled: tuple[float, float]


def recovery(truth: Pairs, gains: Pairs) -> Recovery:
    """Compare the pairs that both know, by (main, aux)."""
    pairs = sorted(truth.keys() & gains.keys())
    known, found = (np.array([of[pair] for pair in pairs]) for of in (truth, gains))
    main = np.array([pair[0] for pair in pairs])
    mains = sorted(set(main))
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        rows = np.concatenate([np.flatnonzero(main == m) for m in random.choice(mains, len(mains))])
        drawn.append(rank_correlation(known[rows], found[rows]))
    tasks = sorted({task for pair in pairs for task in pair})
    shuffled = []
    for _ in range(DRAWS):
        deal = dict(zip(tasks, random.permutation(tasks), strict=True))
        other = [truth.get((str(deal[m]), str(deal[a])), np.nan) for m, a in pairs]
        there = np.isfinite(other)
        shuffled.append(rank_correlation(np.array(other)[there], found[there]))
    within = [rank_correlation(known[main == m], found[main == m]) for m in mains]
    return Recovery(
        len(pairs),
        rank_correlation(known, found),
        _ends(drawn),
        float(np.mean(within)),
        _ends(shuffled),
    )


def _ends(values: list[float]) -> tuple[float, float]:
    low, high = middle(np.array(values)[:, None])[:, 0]
    return float(low), float(high)
