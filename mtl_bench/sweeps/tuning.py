"""Tuning of a task set: which trial to train how far, and which one is the best.

Optuna's sampler (TPE, Bergstra et al., 2011) proposes trials by their scores at the first rung;
successive halving (Jamieson and Talwalkar, 2016) extends the better half of them to the next one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mtl_bench.errors import UserError

Values = Sequence[Any] | Mapping[str, float]
"""Of an option: those to choose among, or `low` and `high` of a log-uniform draw."""


@dataclass(frozen=True)
class TuningLimits:
    """How much is tried.

    Attributes:
        trials: of each task set.
        rungs: ascending shares of the budget; the last one is 1.
        tuning_seed: of the trials, and of the sampler.
        space: values by key of the configuration.
    """

    trials: int
    rungs: Sequence[float]
    tuning_seed: int
    space: Mapping[str, Values]

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UserError: one is not allowed.
        """
        if type(self.trials) is not int or self.trials < 2:
            raise UserError(f"trials={self.trials!r}; allowed is: a whole number from 2.")
        if type(self.tuning_seed) is not int or not 0 <= self.tuning_seed < 2**32:
            raise UserError(f"tuning_seed={self.tuning_seed!r}; allowed is: from 0 to 4294967295.")
        shares = list(self.rungs) if isinstance(self.rungs, Sequence) else []
        if not all(type(share) in (int, float) for share in shares):
            shares = []
        if shares != sorted(set(shares)) or not shares or shares[0] <= 0 or shares[-1] != 1:
            raise UserError(f"rungs={self.rungs!r}; allowed are: ascending shares that end with 1.")
        for key, values in self.space.items():
            if isinstance(values, Mapping):
                ends: list[Any] = [values.get("low"), values.get("high")]
                numbers = all(type(each) in (int, float) for each in ends)
                if len(values) != 2 or not numbers or not 0 < ends[0] < ends[1]:
                    raise UserError(
                        f"space of {key}: {dict(values)!r}; allowed is: 0 < low < high, or a list "
                        "of values."
                    )
            elif isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise UserError(f"space of {key}: {values!r}; allowed is: a list, or low and high.")


@dataclass
class Trial:
    """Values of the options that are tuned.

    Attributes:
        number: of the set's trials, from 0.
        overrides: of the configuration.
        rung: number of the one that it is to reach, or has reached.
        score: on dev at that rung, higher is better; None where it is not measured.
    """

    number: int
    overrides: tuple[str, ...]
    rung: int = 0
    score: float | None = None


@dataclass
class SetTuning:
    """The trials of a task set.

    Attributes:
        main: the main task.
        tasks: of the set, sorted.
        limits: how much is tried.
        trials: so far.
    """

    main: str
    tasks: tuple[str, ...]
    limits: TuningLimits
    trials: list[Trial] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the sampler."""
        try:
            import optuna
        except ImportError:
            raise UserError(
                "tuning needs a package that is not installed:\n  pip install 'mtl-bench[tune]'"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(
            seed=self.limits.tuning_seed, n_startup_trials=max(2, self.limits.trials // 3)
        )
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._asked: dict[int, Any] = {}

    def next(self, count: int) -> list[Trial]:
        """Return trials to be trained to their rung, at most `count`; none at the end."""
        if len(self.trials) < self.limits.trials:
            new = min(count, self.limits.trials - len(self.trials))
            return [self._ask() for _ in range(new)]
        for rung in range(1, len(self.limits.rungs)):
            reached = [trial for trial in self.trials if trial.rung >= rung]
            if not reached:
                below = [t for t in self._ranked(rung - 1) if t.score != -math.inf]
                reached = below[: math.ceil(len(below) / 2)]
                for trial in reached:
                    trial.rung, trial.score = rung, None
            waiting = [trial for trial in reached if trial.score is None]
            if waiting:
                return waiting[:count]
        return []

    def done(self, trial: Trial, score: float | None) -> None:
        """Note the score of a trial at its rung; None if it could not be trained."""
        trial.score = -math.inf if score is None or not math.isfinite(score) else score
        if trial.rung == 0:
            if trial.score == -math.inf:
                self._study.tell(self._asked[trial.number], state=_failed())
            else:
                self._study.tell(self._asked[trial.number], trial.score)

    def best(self) -> Trial | None:
        """Return the trial with the highest score at the last rung; None if none was trained."""
        ranked = self._ranked(len(self.limits.rungs) - 1)
        return ranked[0] if ranked and ranked[0].score != -math.inf else None

    def _ranked(self, rung: int) -> list[Trial]:
        """Return the trials that have a score at a rung, the best first."""
        scored = [each for each in self.trials if each.rung == rung and each.score is not None]
        return sorted(scored, key=lambda trial: (-(trial.score or 0.0), trial.number))

    def _ask(self) -> Trial:
        asked = self._study.ask()
        overrides = []
        for key, values in self.limits.space.items():
            # A run of one task draws no tasks.
            if key.lstrip("+").startswith("sampler.") and len(self.tasks) == 1:
                continue
            if isinstance(values, Mapping):
                value = asked.suggest_float(key, values["low"], values["high"], log=True)
                overrides.append(f"{key}={value:.3g}")
            else:
                value = asked.suggest_categorical(key, list(values))
                overrides.append(f"{key}={'null' if value is None else value}")
        trial = Trial(len(self.trials), tuple(overrides))
        self.trials.append(trial)
        self._asked[trial.number] = asked
        return trial


def _failed() -> Any:
    import optuna

    return optuna.trial.TrialState.FAIL
