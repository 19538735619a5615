"""`mtl-bench check`: check a corpus of your own before training on it.

Exit code 0: it can be used; 1: something must be fixed; 2: it cannot be read.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console
from rich.markup import escape

from mtl_bench.commands.shared.arguments import add_columns
from mtl_bench.commands.shared.definitions import corpus_of, definitions
from mtl_bench.config.tasks import is_task, make_reader, make_type, task_files
from mtl_bench.errors import UserError, visible
from mtl_bench.files import write_atomically
from mtl_bench.runs.record import TASK_NAME
from mtl_bench.tasks.checks.examine import examine, small_batch
from mtl_bench.tasks.checks.findings import Finding
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.definition import Reader, Split, Task
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.format_guess.guess import guess
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.types.tagging import guess_outside, guess_spans

HELP = "check a task, or files that are to become one"
MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "error": "[red]error[/]  "}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "what", nargs="+", help="a task's name; or files: train [dev] test, or a single one"
    )
    add_columns(parser)
    parser.add_argument("--save", action="store_true", help="write the yaml beside the files")


def run(arguments: argparse.Namespace) -> int:
    """Print findings, and a yaml for files that can be a task."""
    names = [name for name in arguments.what if is_task(name) and not Path(name).is_file()]
    if names:
        options = (arguments.word, arguments.label, arguments.separator, arguments.save)
        if len(arguments.what) > 1 or any(options):
            raise UserError(
                f"'{names[0]}' is a task, whose yaml says all: give nothing else. Several tasks "
                "are checked one by one."
            )
        return _report(examine(corpus_of(names[0], definitions(names)[names[0]])))
    files = [Path(name) for name in arguments.what]
    if len(files) > 3:
        raise UserError(f"{len(files)} files are given; a task has train, test and possibly dev.")
    for name, file in zip(arguments.what, files, strict=True):
        if not file.is_file():
            what = (
                "is a folder; name its files" if file.is_dir() else "is neither a file nor a task"
            )
            raise UserError(f"'{name}' {what}. Tasks: {', '.join(task_files())}.")
    proposal = guess(files, arguments.word, arguments.label, arguments.separator)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    console.print(escape(f"{', '.join(map(str, files))}: UTF-8. {proposal.reasons[0]}"))
    for reason in proposal.reasons[1:]:
        console.print(f"  {escape(visible(reason))}")
    # Its splits are absolute paths, to which a folder means nothing.
    task = Task(_name(files[0]), proposal.reader, {}, type=proposal.type, folder="/")
    reader = make_reader(task.title, task)
    task.splits = _splits(files, reader)
    if len(files) == 1:
        console.print("  A single file: its last tenth becomes the test split.")
    corpus = load_corpus(task.title, task, reader, make_type(task.title, task))
    if proposal.type == "tagging":
        task.outside, task.spans = guess_outside(corpus.splits), guess_spans(corpus.splits)
        corpus = replace(corpus, type=make_type(task.title, task))
    code = _report(examine(corpus))
    if code == 0:
        _offer(task, corpus, files, arguments.save)
    return code


def _splits(files: list[Path], reader: Reader) -> dict[str, Split]:
    """Return train, dev and test; of a single file, the last tenth is test."""
    paths = [str(file.absolute()) for file in files]
    if len(paths) > 1:
        names = ("train", "test") if len(paths) == 2 else ("train", "dev", "test")
        return {name: Split(path) for name, path in zip(names, paths, strict=True)}
    count = sum(isinstance(each, Example) for each in reader(files[0], None))
    if count < 2:
        raise UserError(
            f"{files[0]}: has {count} sentence. In files of columns, a blank line ends one."
        )
    border = count - max(1, count // 10)
    return {
        "train": Split(paths[0], sentences=f":{border}"),
        "test": Split(paths[0], sentences=f"{border}:"),
    }


def _report(checks: Iterable[Finding]) -> int:
    """Print findings; return the exit code."""
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    findings = list(checks)
    for finding in findings:
        console.print(f"{MARKS[finding.level]}  {escape(visible(finding.text))}")
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    console.print(
        f"\n{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}."
        + (" Fix what is an error, then check again." if errors else "")
    )
    return int(errors > 0)


def _offer(task: Task, corpus: Corpus, files: list[Path], save: bool) -> None:
    """Print or save the definition of the task that the files make."""
    folder = files[0].absolute().parent
    beside = all(file.absolute().parent == folder for file in files)
    splits: dict[str, Any] = {}
    for split, where in task.splits.items():
        path = Path(str(where.file))
        splits[split] = {"file": path.name if beside else str(path)}
        if where.sentences:
            splits[split]["sentences"] = where.sentences
    content: dict[str, Any] = {
        "title": f"{task.title} (say here what it labels)",
        "reader": task.reader,
        "splits": splits,
    }
    if task.type == "tagging":
        content |= {"outside": task.outside, "spans": task.spans}
    else:
        content["type"] = task.type
    name = task.title
    file = folder / f"{name}.yaml"
    text = OmegaConf.to_yaml(content).replace("${", "\\${")  # else a file's name is looked up
    if save:
        if file.exists():
            raise UserError(f"{file}: is there already. Remove it, or edit it by hand.")
        write_atomically(file, text)
        print(f"\nwritten: {file}\n")
    else:
        print(f"\nThe task, to be saved as {file} (--save does it):\n\n{text}")
    size = small_batch(corpus)
    options = f" data.batch_size={size}" if size else ""
    print(f"Then: MTL_BENCH_TASKS={shlex.quote(str(folder))} python train.py main={name}{options}")


def _name(file: Path) -> str:
    """Return a task's name made from a file's."""
    stem = file.name.split(".")[0].lower()
    name = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in stem)
    # Every corpus has a file called train: the folder's name says more.
    if name in ("train", "dev", "test"):
        name = _name(file.absolute().parent)
    is_text = isinstance(OmegaConf.create(f"name: {name}").name, str)  # not 2003, true, null
    usable = TASK_NAME.fullmatch(name) and name != "main" and is_text
    name = name if usable else "mine"
    return f"my_{name}" if name in task_files() else name
