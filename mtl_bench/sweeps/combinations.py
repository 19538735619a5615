"""What a sweep asks for: the combinations of tasks that its jobs name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from mtl_bench.config.mistakes.messages import no_such_task
from mtl_bench.config.mistakes.overrides import TASK_GROUPS
from mtl_bench.config.tasks import is_task, task_files
from mtl_bench.errors import UserError

Overrides = list[str]


@dataclass(frozen=True)
class Combination:
    """The tasks that `main` and `aux` name in a job; None where an argument is missing."""

    main: str | None
    aux: tuple[str, ...] | None

    def names(self) -> tuple[str, ...]:
        """Return the tasks named."""
        return tuple(dict.fromkeys(name for name in (self.main, *(self.aux or ())) if name))

    def of(self, default: str) -> Combination:
        """Return the combination with `main` named."""
        return replace(self, main=self.main or default)

    def task_set(self) -> set[str]:
        """Return the tasks of the run; `main` is named."""
        return set(self.names())


def expand(jobs: Sequence[Overrides]) -> dict[tuple[str, ...], list[Combination]]:
    """Return the combinations of tasks of some jobs, by their other overrides.

    Raises:
        UserError: there is no task of a name, or one is named twice.
    """
    parser = OverridesParser.create()

    @cache  # jobs share their overrides, and parsing one takes a millisecond
    def tasks_of(override: str) -> tuple[str, tuple[str, ...] | None]:
        [parsed] = parser.parse_overrides([override])
        group = parsed.key_or_group
        names = _choices(parsed) if group in TASK_GROUPS else None
        for name in names or ():
            if not is_task(name):
                raise UserError(no_such_task(name, list(task_files())))
        return group, names

    variants: dict[tuple[str, ...], list[Combination]] = {}
    for job in jobs:
        names = dict(map(tasks_of, job))
        others = tuple(each for each in job if each.partition("=")[0] not in TASK_GROUPS)
        mains = names.get("main")
        # Jobs that agree in the other overrides share one composition, of half a second.
        variants.setdefault(others, []).append(
            Combination(mains[0] if mains else None, names.get("aux"))
        )
    return variants


def check_one_value(*keys: str, of: Sequence[Overrides]) -> None:
    """Raise an error if jobs have different values of a key that concerns the whole sweep."""
    for key in keys:
        values = {each for job in of for each in job if each.partition("=")[0] == key}
        if len(values) > 1:
            raise UserError(
                f"{key} has one value for all runs of a sweep. Given: {sorted(values)}."
            )


def check_task_overrides(others: Sequence[str], combinations: Sequence[Combination]) -> None:
    """Raise an error for `tasks.chu...=` where some run has no task chu."""
    for override in others:
        key, name = override.partition("=")[0].lstrip("+~"), task_of(override)
        without = [each for each in combinations if name and name not in each.task_set()]
        if without:
            raise UserError(
                f"{key}: task '{name}' is not in {len(without)} of the {len(combinations)} "
                "combinations of main and aux, so that this override means nothing there.\nSweep "
                f"over those with '{name}' by themselves, or change the task's yaml."
            )


def task_of(override: str) -> str | None:
    """Return the task that an override such as `tasks.chu.max_length=9` changes; None if none."""
    key = override.partition("=")[0].lstrip("+~")
    return key.split(".")[1] if key.startswith("tasks.") and key.count(".") > 1 else None


def missing_baselines(
    others: Sequence[str], combinations: Sequence[Combination]
) -> tuple[list[str], list[str]]:
    """Return the main tasks that are trained with others only: those that can be added, and not.

    An override of one task has no place in the single run of another, which is not added then.
    """
    keys = [override.lstrip("+~") for override in others]
    overridden = {key.split(".")[1] for key in keys if key.startswith("tasks.")}
    mains = dict.fromkeys(str(each.main) for each in combinations)
    single = {each.main for each in combinations if len(each.task_set()) == 1}
    missing = [main for main in mains if main not in single]
    possible = [name for name in missing if overridden <= {name}]
    return possible, [name for name in missing if name not in possible]


def _choices(override: Override) -> tuple[str, ...]:
    """Return the tasks that an override of `main` or `aux` names."""
    value = override.value()
    if value is None or value == "":
        return ()
    names = [str(each) for each in value] if isinstance(value, list) else [str(value)]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{override.input_line}: names '{name}' twice. Name each once.")
    return tuple(names)
