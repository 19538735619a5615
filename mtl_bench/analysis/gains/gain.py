"""A gain: what auxiliary tasks change for a main task, with its noise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mtl_bench.analysis.data.frame import StudiedMetric

SHARED = 0.5
"""Share of a gain's variance that comes from the single run, where that is as noisy as a pair run:
the correlation of two gains of a main task and seed."""

SMALL = 0.05
"""A score alone (0 to 1) below which a relative change says little."""

Effect = Literal["helps", "hurts", "undecided", "not known"]


@dataclass(frozen=True)
class Gain:
    """The gain of a main task from auxiliary tasks, in one variant of a sweep.

    Attributes:
        main: task.
        aux: tasks trained beside it, joined by `+`.
        variant: overrides that the runs share.
        metric: that it is of.
        split: on which the metric was taken.
        budget: steps per task at which it was taken, in both runs.
        seeds: pairs of runs that it comes from.
        single: metric of the main task alone, mean over seeds.
        pair: the same beside the auxiliary tasks.
        points: absolute improvement, in points (hundredths) if the metric is a share.
        gain_percent: improvement relative to `single`, mean over seeds; nan where that is 0 with
            one of them.
        late_percent: the same from the means of late evaluations.
        late_split: on which these were; with `keep=best` it is another one than `split`.
        seed_sd: standard deviation of the gain over seeds.
        late_sd: standard deviation of one gain due to the scatter of late evaluations alone.
        evaluations: late ones of a run.
        degrees_of_freedom: of `late_sd`: those of one run, since late evaluations of a run, which
            follow each other, are not independent.
        shared: share of the variance that comes from the single run, and so is common to all gains
            of the main task: of `late_sd`, or `SHARED` where `error` is one over seeds.
        error: standard error of `gain_percent`, see `uncertainty.with_errors`.
        label_error: standard error of `label`; smaller where that is a mean of evaluations.
        error_degrees: degrees of freedom of `error`.
        low: lower end of its 95 percent interval.
        high: upper end.
        p: two-sided p-value of no gain.
        detectable: smallest gain in percent that such runs would show with probability 0.8, from
            the noncentral t distribution.
        effect: helps or hurts if the gain survives false-discovery control at 5 percent over all
            gains shown together, see `uncertainty.controlled`.
    """

    main: str
    aux: str
    variant: str
    metric: str
    split: str
    budget: float
    seeds: int
    single: float
    pair: float
    points: float
    gain_percent: float
    late_percent: float | None = None
    late_split: str | None = None
    seed_sd: float | None = None
    late_sd: float | None = None
    evaluations: int = 1
    degrees_of_freedom: int = 1
    shared: float = SHARED
    error: float | None = None
    label_error: float | None = None
    error_degrees: float = 1
    low: float | None = None
    high: float | None = None
    p: float | None = None
    detectable: float | None = None
    effect: Effect = "not known"

    @property
    def defined(self) -> bool:
        """Whether there is a relative change: the single run does not score 0."""
        return not math.isnan(self.gain_percent)

    @property
    def late_counts(self) -> bool:
        """Whether late evaluations measure what the final metric does, only more often.

        Not so where runs keep their best weights: those are evaluated once, on data of their own.
        """
        return self.late_percent is not None and self.late_split == self.split

    @property
    def label(self) -> float:
        """The gain in percent that a study predicts: of late means, where these count.

        A single evaluation of a small corpus scatters by points from one evaluation to the next.
        """
        late = self.late_percent if self.late_counts else None
        return self.gain_percent if late is None else late

    @property
    def clear(self) -> bool:
        """Whether it is shown to help or to hurt."""
        return self.effect in ("helps", "hurts")


def is_small(gain: Gain, metric: StudiedMetric) -> bool:
    """Return whether the single score is too small to divide by with confidence."""
    return metric.higher_is_better and gain.single < SMALL


def signed(value: float, decimals: int = 1) -> str:
    """Return a number with its sign; what rounds to 0 has none.

    >>> signed(1.25), signed(-0.04)
    ('+1.2', '0.0')
    """
    return f"{value:+.{decimals}f}" if round(value, decimals) else f"{0:.{decimals}f}"


def main_order(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the main tasks of (main, aux) pairs: those with the most auxiliaries first.

    >>> main_order([("a", "ner"), ("ner", "a"), ("ner", "b")])
    ['ner', 'a']
    """
    counts = Counter(main for main, _ in pairs)
    return sorted(counts, key=lambda main: (-counts[main], main))
