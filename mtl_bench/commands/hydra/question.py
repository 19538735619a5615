"""What the command line of a search asks: main tasks, candidates, runs that may be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from mtl_bench.errors import UserError
from mtl_bench.sweeps.combinations import Combination, Overrides, expand


@dataclass(frozen=True)
class Question:
    """What a command line asks.

    Attributes:
        mains: tasks to recommend for.
        candidates: auxiliaries.
        others: overrides but for `main` and `aux`.
    """

    mains: tuple[str, ...]
    candidates: tuple[str, ...]
    others: tuple[str, ...]

    def of(self, main: str) -> list[str]:
        """Return the candidates of a main task."""
        return [name for name in self.candidates if name != main]

    def jobs(self, max_aux: int) -> list[Overrides]:
        """Return the overrides of every run that the searches may train.

        Args:
            max_aux: auxiliaries in a set.
        """
        sets = [
            (main, aux)
            for main in self.mains
            for count in range(max_aux + 1)
            for aux in combinations(self.of(main), count)
        ]
        return [[*self.others, f"main={m}", f"aux=[{','.join(aux or (m,))}]"] for m, aux in sets]


def question(jobs: Sequence[Overrides]) -> Question:
    """Return what the jobs of a command line ask: `aux` names the candidates.

    Raises:
        UserError: no candidate is named, the main task is one, or runs differ in more than tasks.
    """
    variants: dict[tuple[str, ...], list[Combination]] = expand(jobs)
    if len(variants) > 1:
        differing = sorted({each for others in variants for each in others})
        differing = [each for each in differing if not all(each in others for others in variants)]
        raise UserError(
            "A search compares runs that differ in their tasks only; seeds are its own to choose. "
            f"Given several values: {' '.join(differing)}. Leave one of each."
        )
    [(others, asked)] = variants.items()
    if any(each.main is None for each in asked):
        raise UserError("A search needs its main task: main=<task>.")
    mains = tuple(dict.fromkeys(str(each.main) for each in asked))
    candidates = tuple(dict.fromkeys(name for each in asked for name in each.aux or ()))
    if not candidates:
        raise UserError(
            "A search needs candidates: 'aux=[<task>,<task>]'. `mtl-bench tasks` lists all tasks."
        )
    if len(mains) == 1 and mains[0] in candidates:
        raise UserError(
            f"aux names the main task, {mains[0]}, among its candidates. Leave it out there."
        )
    return Question(mains, candidates, others)
