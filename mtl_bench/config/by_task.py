"""Options that are given by task, where `main` stands for the main task."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from mtl_bench.config.tasks import is_task
from mtl_bench.errors import UserError

T = TypeVar("T")


def by_task(key: str, values: Mapping[str, T], tasks: Collection[str], main: str) -> dict[str, T]:
    """Return the values of the tasks of a run.

    Args:
        key: of the configuration, for messages.
        values: by task, or `main`.
        tasks: of the run. Where it is one, values of others are left out: the baselines of a sweep
            take the options of its pairs.
        main: the main task.

    Raises:
        UserError: a task is named twice, or is none of the run.
    """
    if "main" in values and main in values:
        raise UserError(
            f"{key}: {dict(values)} names the main task '{main}' twice. Take one out: "
            f"`~{key}.main`."
        )
    named = {main if task == "main" else task: value for task, value in values.items()}
    unknown = [t for t in sorted(set(named) - set(tasks)) if len(tasks) > 1 or not is_task(t)]
    if unknown:
        raise UserError(
            f"{key}: {dict(values)} for the tasks {', '.join(sorted(tasks))}. Name only tasks of "
            "the run, or 'main'."
        )
    return {task: value for task, value in named.items() if task in tasks}
