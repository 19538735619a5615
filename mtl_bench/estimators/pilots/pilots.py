"""Pilots: what estimators ask for, computed when it is first asked for, with what it cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

from mtl_bench.config.schema import RunConfig
from mtl_bench.estimators.pilots.alone import View, has_labels, trained_alone, view
from mtl_bench.estimators.pilots.joint import (
    BATCHES,
    MOMENTS,
    OfPairs,
    affinities,
    cosines,
    gradients,
)
from mtl_bench.estimators.pilots.setup import Setup, take
from mtl_bench.training import build


@dataclass
class Cost:
    """What a part of the pilots took.

    Attributes:
        steps: of the optimiser; a gradient alone counts as one, a loss alone as a third.
        seconds: of one process.
    """

    steps: float = 0.0
    seconds: float = 0.0


class Pilots:
    """Taggers of some tasks that are trained for some steps.

    Attributes:
        setup: the tasks, their corpora, and what taggers are made of.
        costs: of what was trained and computed, by part.
        used: parts that were asked for since it was last cleared.
    """

    def __init__(self, config: RunConfig) -> None:
        """Read the tasks of a run's configuration; its budget is that of the pilots."""
        self.setup = Setup.of(config)
        self.costs = {part: Cost() for part in ("alone", "start", "joint", "gradients", "ahead")}
        self.used: set[str] = set()

    def pairs(self) -> list[tuple[str, str]]:
        """Return all pairs of a main task and an auxiliary."""
        return list(permutations(self.setup.tasks, 2))

    def views(self) -> dict[tuple[str, str], View]:
        """Return what the tagger of each auxiliary, trained alone, makes of each main task.

        Pairs whose tasks have not a label for each word are left out.
        """
        self.used.add("alone")
        return self._views

    def of_views(self, score: Callable[[View], float]) -> OfPairs:
        """Return a score of each pair's view; nan where there is none."""
        views = self.views()
        return {p: score(views[p]) if p in views else math.nan for p in self.pairs()}

    def cosines_at_start(self) -> OfPairs:
        """Return the cosines of the tasks' gradients before the first step of a common model."""
        self.used.add("start")
        return self._start

    def cosines_later(self) -> list[OfPairs]:
        """Return the cosines of gradients at each moment after the start."""
        self.used |= {"joint", "gradients"}
        return self._joint[0]

    def affinities(self) -> list[OfPairs]:
        """Return the affinities (`joint.affinities`) at each moment, the start included."""
        self.used |= {"joint", "gradients", "ahead"}
        return self._joint[1]

    @contextmanager
    def _counted(self, part: str, steps: float) -> Iterator[None]:
        """Add what is done inside to the costs of a part."""
        start = time.perf_counter()
        yield
        self.costs[part].steps += steps
        self.costs[part].seconds += time.perf_counter() - start

    @cached_property
    def _views(self) -> dict[tuple[str, str], View]:
        setup = self.setup
        labelled = [task for task in setup.tasks if has_labels(setup, task)]
        budget = round(setup.schedule.budget)
        with self._counted("alone", budget * len(labelled)):
            taggers = {task: trained_alone(setup, task, budget) for task in labelled}
            return {
                (main, aux): view(setup, taggers[aux], main, aux)
                for main, aux in permutations(labelled, 2)
            }

    @cached_property
    def _start(self) -> OfPairs:
        with self._counted("start", len(self.setup.tasks) * BATCHES):
            tagger = build.make_tagger(self.setup.config, self.setup.of_one_tagger())
            return cosines(gradients(self.setup, tagger, 0))

    @cached_property
    def _joint(self) -> tuple[list[OfPairs], list[OfPairs]]:
        """Train all tasks in one model; return cosines after the start, and affinities."""
        setup, own = self.setup, self.setup.of_one_tagger()
        tagger = build.make_tagger(setup.config, own)
        data = build.make_data(setup.config, own, setup.schedule, 0)
        optimizer = tagger.configure_optimizers()
        of_moments, affinity = [], []
        count, done = len(setup.tasks), 0
        for moment in range(MOMENTS):
            end = round(setup.schedule.steps * moment / (MOMENTS - 1))
            with self._counted("joint", end - done):
                take(tagger, optimizer, data, range(done, end))
            with self._counted("gradients", count * BATCHES):
                of_tasks = gradients(setup, tagger, moment)
            # The loss of each task, and that of each pair after a step.
            with self._counted("ahead", count**2 * BATCHES / 3):
                affinity.append(affinities(setup, tagger, of_tasks, moment))
            of_moments.append(cosines(of_tasks))
            done = end
        return of_moments[1:], affinity
