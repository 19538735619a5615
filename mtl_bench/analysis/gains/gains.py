"""What an auxiliary task changes: gains of pair runs over single runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

from mtl_bench.runs.sweep_folder import RunStatus

LOW_F1 = 0.05
"""A single score below which a relative change says little."""


METRICS = {"f1": "F1", "span_f1": "span F1", "accuracy": "accuracy"}
"""What gains can be of, and what people call it; the first is the primary one."""


@dataclass(frozen=True)
class Gain:
    """The gain of a main task from auxiliary tasks, in one variant of a sweep.

    Attributes:
        main: task.
        aux: tasks trained beside it, joined by `+`.
        variant: overrides that the runs share.
        single: metric of the main task trained alone, by seed (0 to 1).
        multi: the same beside the auxiliary tasks, by seed.
    """

    main: str
    aux: str
    variant: str
    single: dict[int, float]
    multi: dict[int, float]

    def percent(self) -> dict[int, float]:
        """Return the relative change in percent, by seed, where the single score is not 0."""
        return {
            seed: 100 * (value - self.single[seed]) / self.single[seed]
            for seed, value in self.multi.items()
            if self.single[seed] > 0
        }

    def mean(self) -> float | None:
        """Return the mean over seeds; None if no seed has a gain."""
        values = self.percent().values()
        return fmean(values) if values else None

    def points(self) -> float:
        """Return the absolute change in points (hundredths), mean over seeds."""
        return 100 * fmean(value - self.single[seed] for seed, value in self.multi.items())

    def spread(self) -> float | None:
        """Return the standard deviation over seeds, if there are two or more."""
        values = self.percent().values()
        return stdev(values) if len(values) > 1 else None

    def low(self) -> bool:
        """Return whether the single score is too low to divide by with confidence."""
        return fmean(self.single.values()) < LOW_F1


def gains(runs: Iterable[RunStatus], metric: str = "f1") -> list[Gain]:
    """Return the gains of finished runs whose single run of the same variant and seed is there.

    Args:
        runs: of a sweep.
        metric: one of METRICS; a task without it has no gains.
    """
    scores: dict[tuple[str, str], dict[tuple[str, ...], dict[int, float]]] = defaultdict(dict)
    for run in runs:
        if run.state == "finished" and run.record:
            for task, of in run.record.tasks.items():
                if metric in of.final:
                    by_set = scores[task, run.run.variant]
                    by_set.setdefault(run.run.tasks, {})[run.run.seed] = of.final[metric]
    found = []
    for (main, variant), by_set in sorted(scores.items()):
        single = by_set.get((main,), {})
        for tasks, values in sorted(by_set.items()):
            paired = {seed: value for seed, value in values.items() if seed in single}
            if len(tasks) > 1 and paired:
                aux = "+".join(task for task in tasks if task != main)
                baseline = {seed: single[seed] for seed in paired}
                found.append(Gain(main, aux, variant, baseline, paired))
    return found


def missing_singles(runs: Iterable[RunStatus]) -> dict[str, set[str]]:
    """Return the main tasks without a finished single run, by variant.

    They are those that runs of several tasks were trained for.
    """
    missing: dict[str, set[str]] = defaultdict(set)
    done = set()
    asked = []
    for run in runs:
        if run.state == "finished" and run.record:
            variant = run.run.variant
            if len(run.run.tasks) == 1:
                done.add((variant, run.run.tasks[0]))
            else:
                asked.append((variant, run.record.main))
    for variant, main in asked:
        if (variant, main) not in done:
            missing[variant].add(main)
    return dict(missing)


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
