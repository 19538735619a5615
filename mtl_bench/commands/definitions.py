"""Tasks by name, for commands."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_bench.compose import make_reader, plain_task, task_files
from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.task import Task, load_corpus


def definitions(names: Sequence[str] = ()) -> dict[str, Task]:
    """Return the definitions of some tasks, or of all.

    Raises:
        UserError: there is no task of a name.
    """
    files = task_files()
    for name in names:
        if name not in files:
            raise UserError(f"there is no task '{name}'. Possible: {', '.join(files)}.")
    return {name: plain_task(file) for name, file in files.items() if not names or name in names}


def corpus_of(name: str, task: Task) -> Corpus:
    """Read the corpus of a task."""
    return load_corpus(name, task, make_reader(name, task))
