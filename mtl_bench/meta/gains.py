"""What an auxiliary task changes: gains of pair runs over single runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

from mtl_bench.runs.store import Stored

LOW_F1 = 0.05
"""A single F1 below which a relative change says little."""


@dataclass(frozen=True)
class Gain:
    """The gain of a main task from auxiliary tasks, in one variant of a sweep.

    Attributes:
        main: task.
        aux: tasks trained beside it, joined by `+`.
        variant: overrides that the runs share.
        single: micro-F1 of the main task trained alone, by seed (0 to 1).
        multi: its micro-F1 beside the auxiliary tasks, by seed.
    """

    main: str
    aux: str
    variant: str
    single: dict[int, float]
    multi: dict[int, float]

    def percent(self) -> dict[int, float]:
        """Return the relative change in percent, by seed, where the single F1 is not 0."""
        return {
            seed: 100 * (f1 - self.single[seed]) / self.single[seed]
            for seed, f1 in self.multi.items()
            if self.single[seed] > 0
        }

    def mean(self) -> float | None:
        """Return the mean over seeds; None if no seed has a gain."""
        values = self.percent().values()
        return fmean(values) if values else None

    def spread(self) -> float | None:
        """Return the standard deviation over seeds, if there are two or more."""
        values = self.percent().values()
        return stdev(values) if len(values) > 1 else None

    def low(self) -> bool:
        """Return whether the single F1 is too low to divide by with confidence."""
        return fmean(self.single.values()) < LOW_F1


def gains(runs: Iterable[Stored]) -> list[Gain]:
    """Return the gains of finished runs whose single run of the same variant and seed is there."""
    f1: dict[tuple[str, str], dict[tuple[str, ...], dict[int, float]]] = defaultdict(dict)
    for run in runs:
        if run.state == "finished" and run.record:
            for task, of in run.record.tasks.items():
                by_set = f1[task, run.planned.variant]
                by_set.setdefault(run.planned.tasks, {})[run.planned.seed] = of.final["f1"]
    found = []
    for (main, variant), by_set in sorted(f1.items()):
        single = by_set.get((main,), {})
        for tasks, values in sorted(by_set.items()):
            paired = {seed: value for seed, value in values.items() if seed in single}
            if len(tasks) > 1 and paired:
                aux = "+".join(task for task in tasks if task != main)
                baseline = {seed: single[seed] for seed in paired}
                found.append(Gain(main, aux, variant, baseline, paired))
    return found
