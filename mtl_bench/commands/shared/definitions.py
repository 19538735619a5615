"""Tasks and sweeps by name, for commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mtl_bench.config.compose import make_reader, make_type, plain_task, task_files
from mtl_bench.errors import UserError
from mtl_bench.runs.record import RECORD
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
        if name not in files:
            raise UserError(f"there is no task '{name}'. Possible: {', '.join(files)}.")
    if names:
        return {name: plain_task(files[name]) for name in files if name in names}
    found = {}
    for name, file in files.items():
        try:
            found[name] = plain_task(file)
        except UserError as error:  # one damaged yaml hides no other task
            print(f"\n{name}: {error}\n", file=sys.stderr)
    return found


def sweep_folder(name: str | Path) -> Path:
    """Return the folder of a sweep, named by its path or, below `multirun_outputs`, its name.

    Raises:
        UserError: the name is empty.
    """
    if not str(name).strip():
        raise UserError("the name of the sweep is empty. Was a shell variable not set?")
    typed, below = Path(name), Path("multirun_outputs") / name
    has_runs = typed.is_dir() and any(typed.rglob(RECORD))
    return below if below.is_dir() and not has_runs else typed


def corpus_of(name: str, task: Task) -> Corpus:
    """Read the corpus of a task."""
    return load_corpus(name, task, make_reader(name, task), make_type(name, task))
