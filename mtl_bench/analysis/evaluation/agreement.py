"""Whether measured gains agree with reference gains, such as those of the synthetic tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.evaluation.metrics import central_interval, task_interval
from mtl_bench.analysis.evaluation.permutation import share_as_high, task_permutations
from mtl_bench.analysis.ranks import rank_correlation
from mtl_bench.analysis.student import quantile

DRAWS = 1000
"""Of main tasks, with replacement."""

Pairs = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Agreement:
    """Rank correlations of measured gains with the reference.

    Attributes:
        pairs: how many were compared.
        over_all: over all pairs.
        interval: of `over_all`, 95 percent over main tasks (see `metrics.task_interval`).
        within_mains: mean over main tasks of the correlation among their auxiliaries; nan if none
            has two.
        width: half of its 95 percent interval (Student's, over main tasks).
        permuted: the central 95 percent of `over_all` when tasks are permuted in the reference.
        p: how often it is as high then, the true order counted; nan if a permutation asks for pairs
            that the reference lacks.
    """

    pairs: int
    over_all: float
    interval: tuple[float, float]
    within_mains: float
    width: float
    permuted: tuple[float, float]
    p: float


def agreement(reference: Pairs, gains: Pairs) -> Agreement:
    """Compare the pairs that both have, by (main, aux); there must be some."""
    pairs = sorted(reference.keys() & gains.keys())
    expected, measured = (np.array([of[pair] for pair in pairs]) for of in (reference, gains))
    main = np.array([pair[0] for pair in pairs])
    mains = sorted(set(main))
    random = np.random.default_rng(0)
    resampled = []
    for _ in range(DRAWS):
        # Main tasks, since pairs that share one are not independent.
        rows = np.concatenate([np.flatnonzero(main == m) for m in random.choice(mains, len(mains))])
        resampled.append(rank_correlation(expected[rows], measured[rows]))
    permutations = task_permutations(reference, pairs)
    known = np.isfinite(permutations)
    permuted = np.array(
        [
            rank_correlation(each[own], measured[own])
            for each, own in zip(permutations, known, strict=True)
        ]
    )
    over_all = float(permuted[0])
    ends = task_interval(np.array([over_all]), np.array(resampled)[:, None], len(mains))[:, 0]
    ends = ends.clip(-1, 1)
    ordered = [own for m in mains if (own := main == m).sum() > 1]  # one alone has no order
    within = [rank_correlation(expected[own], measured[own]) for own in ordered]
    count = len(within)
    error = np.std(within, ddof=1) / np.sqrt(count) if count > 1 else np.nan
    low, high = central_interval(permuted[1:, None])[:, 0]
    return Agreement(
        pairs=len(pairs),
        over_all=over_all,
        interval=(float(ends[0]), float(ends[1])),
        within_mains=float(np.mean(within)) if within else float("nan"),
        width=float(error) * quantile(0.975, count - 1),
        permuted=(float(low), float(high)),
        p=share_as_high(permuted) if known.all() else float("nan"),
    )
