"""What a search bought, round by round: kept in a file, from which it resumes and is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mtl_bench.analysis.recommend.settings import steps_of_all
from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.curve import MOST_STEPS
from mtl_bench.runs.seal import DAMAGE, sealed, unsealed

SCHEMA_VERSION = 2
"""Raised when the fields of a history change."""

FOLDER = "recommend"
"""Below the sweep's: a file for each main task."""


def run_name(tasks: Sequence[str], seed: int) -> str:
    """Return how a search calls a run.

    >>> run_name(("chu", "mwe"), 0)
    'chu+mwe/seed0'
    """
    return f"{'+'.join(tasks)}/seed{seed}"


@dataclass(frozen=True)
class Round:
    """What was known after a round.

    Attributes:
        trained: runs that it trained further, as `tasks/seed to steps per task`.
        steps: optimiser steps bought since the search began.
        seconds: that it took.
        choice: auxiliary; None: none.
        regret: expected loss against the best choice, in percent of the metric alone.
    """

    trained: Sequence[str]
    steps: int
    seconds: float
    choice: str | None
    regret: float


@dataclass
class History:
    """A search for the auxiliary of a main task.

    Attributes:
        main: task.
        candidates: auxiliaries, and sets of them joined by `+`.
        budget: steps per task that gains are predicted for.
        evaluated: steps per task at which runs are evaluated, ascending.
        policy: that decides what to train.
        record: sweep, or `published`, whose gains tell of candidates; None: the other main tasks.
        max_seeds: of a candidate.
        arguments: of the last command, but for `main` and `aux`.
        bought: by `tasks/seed`, the optimiser steps of a run that others trained, and the step to
            which the search last asked to train it. What others train costs nothing.
        pending: runs of the round under way: tasks, steps per task to reach, seed. A search that
            was stopped finishes it first, and so does what it would have done.
        rounds: in order.
        ended: why the search ended: `regret`, `confidence`, `budget`, `seconds`, `worth` (nothing
            else is worth its cost), `policy` (it asks for no more), `done` (everything is trained),
            `score` (the main task alone scores too little) or `failed`; None: it has not.
        schema_version: of these fields.
    """

    main: str
    candidates: list[str]
    budget: float
    evaluated: list[int]
    policy: str
    record: str | None = None
    max_seeds: int = 3
    arguments: list[str] = field(default_factory=list)
    bought: dict[str, tuple[int, int]] = field(default_factory=dict)
    pending: list[tuple[list[str], int, int]] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    ended: str | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def seconds(self) -> float:
        """The time that all rounds took."""
        return sum(each.seconds for each in self.rounds)

    def steps(self, done: Mapping[str, int]) -> int:
        """Return the optimiser steps bought for the main task alone and beside the candidates.

        Args:
            done: steps that each run has now, by `tasks/seed`.
        """
        tasks = {self.main, *(name for each in self.candidates for name in each.split("+"))}
        return sum(
            self._bought(run, done.get(run, 0))
            for run in self.bought
            if tasks >= set(run.rpartition("/")[0].split("+"))
        )

    def buy(self, run: str, done: int, aim: int) -> None:
        """Note that the search asks for a run.

        Args:
            run: as `tasks/seed`.
            done: optimiser steps that it has.
            aim: those that it is to have.
        """
        self.bought[run] = done - self._bought(run, done), aim

    def _bought(self, run: str, done: int) -> int:
        """Return the steps of a run that the search asked for, of those that are done."""
        others, aim = self.bought.get(run, (done, done))
        return max(0, min(done, aim) - others)

    @property
    def everything(self) -> int:
        """Budgets of one task that it takes to train all candidates to the end with one seed."""
        return steps_of_all(self.candidates)

    def cost(self, steps: int) -> float:
        """Return steps as a share of those of training all candidates to the end."""
        return steps / (self.budget * self.everything)

    def ask(self, candidates: Sequence[str], max_aux: int = 1) -> None:
        """Take the candidates of a command; sets of them that were tried before stay.

        What the command does not ask for is left out of the round under way as well.
        """
        sets = [name.split("+") for name in self.candidates if "+" in name]
        kept = ["+".join(own) for own in sets if set(own) <= {*candidates} and len(own) <= max_aux]
        self.candidates = [*candidates, *kept]
        runs = [{self.main}, *({self.main, *name.split("+")} for name in self.candidates)]
        self.pending = [each for each in self.pending if set(each[0]) in runs]

    def write(self, sweep: Path, variant: str = "") -> None:
        """Write the history to a sweep's folder."""
        file = history_file(sweep, self.main, variant)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, sealed(asdict(self)))


def history_file(sweep: Path, main: str, variant: str = "") -> Path:
    """Return where the history of a main task's search is."""
    return sweep / FOLDER / f"{','.join(filter(None, (main, variant.replace('/', ','))))}.json"


def read_history(sweep: Path, main: str, variant: str = "") -> History | None:
    """Return the history of a main task's search; None if there was none.

    Raises:
        UserError: it cannot be read.
    """
    file = history_file(sweep, main, variant)
    try:
        content = unsealed(file.read_text("utf-8"))
        if (version := content.get("schema_version")) != SCHEMA_VERSION:
            raise UserError(
                f"{file}: has schema version {version}; this program reads {SCHEMA_VERSION}. "
                "Remove it: the runs stay, and count as there before."
            )
        rounds = [Round(**each) for each in content.pop("rounds")]
        pending = [(list(t), int(budget), int(seed)) for t, budget, seed in content.pop("pending")]
        bought = {str(run): (int(a), int(b)) for run, (a, b) in content.pop("bought").items()}
        history = History(**content, rounds=rounds, pending=pending, bought=bought)
        _check(history)
    except FileNotFoundError:
        return None
    except (OSError, *DAMAGE) as error:
        raise UserError(
            f"{file}: the history of a search cannot be read ({error}). Remove it: the runs stay, "
            "and count as there before."
        ) from None
    return history


def _check(history: History) -> None:
    """Raise an error if a value is not what a history has."""
    tasks = [task for tasks, *_ in history.pending for task in tasks]
    texts = [history.main, history.policy, *history.candidates, *history.arguments, *tasks]
    if not all(isinstance(each, str) for each in texts):
        raise ValueError("a name is no text")
    numbers = [history.budget, *history.evaluated]
    numbers += [number for each in history.rounds for number in (each.seconds, each.steps)]
    if not all(type(each) in (int, float) and 0 <= each < MOST_STEPS for each in numbers):
        raise ValueError("a number of steps or seconds is none")
    if not history.budget:
        raise ValueError("its budget is 0")
    if not all(type(each.regret) in (int, float) for each in history.rounds):
        raise ValueError("a regret is no number")
