"""Tasks and sweeps by name, for commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mtl_bench.config.mistakes.messages import no_such_task
from mtl_bench.config.tasks import is_task, make_reader, make_type, plain_task, task_files
from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.definition import Task
from mtl_bench.tasks.load import load_corpus


def definitions(names: Sequence[str] = ()) -> dict[str, Task]:
    """Return the definitions of some tasks, or of all.

    Raises:
        UserError: there is no task of a name.
    """
    files = task_files()
    for name in names:
        if not is_task(name):
            raise UserError(no_such_task(name, list(files)))
    if names:
        return {name: plain_task(name) for name in sorted(set(names))}
    tasks = {}
    for name, file in files.items():
        try:
            tasks[name] = plain_task(file)
        except UserError as error:  # one damaged yaml hides no other task
            print(f"\n{name}: {error}\n", file=sys.stderr)
    return tasks


def corpus_of(name: str, task: Task) -> Corpus:
    """Read the corpus of a task."""
    return load_corpus(name, task, make_reader(name, task), make_type(name, task))
