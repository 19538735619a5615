"""`mtl-bench evaluate`: score the tagger of a run on other labelled data.

The metrics are those of the run's final evaluation, computed in the same way.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from mtl_bench.commands.shared.arguments import add_columns
from mtl_bench.commands.shared.definitions import definitions
from mtl_bench.commands.shared.metrics_table import Measured, metrics_table
from mtl_bench.commands.shared.taggers import add_tagger, tagger_of
from mtl_bench.config.tasks import make_reader, task_files
from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.definition import Split, Task
from mtl_bench.tasks.format_guess.guess import guess
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.types.base import TaskType

HELP = "score the tagger of a run on other labelled data"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_tagger(parser)
    parser.add_argument("file", type=Path, help="of labelled sentences")
    parser.add_argument("--task", help="whose labels the file has (default: the main task)")
    add_columns(parser)
    parser.add_argument(
        "--reader", metavar="TASK", help="read the file as the yaml of a task says; nothing guessed"
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="look at all words and sentences, even if the run's evaluations leave some out",
    )
    parser.add_argument("--json", action="store_true", help="print an object, all digits")


def run(arguments: argparse.Namespace) -> None:
    """Print the metrics."""
    if not arguments.file.is_file():
        raise UserError(f"{arguments.file}: there is no such file.")
    tagger = tagger_of(arguments)
    task = arguments.task or tagger.main
    tagger.check_tasks([task])
    reader = _reader(arguments)
    type_ = tagger.tasks[task].type
    examples = _corpus(task, arguments.file, reader, type_)["test"]
    length, whole = tagger.conditions.max_length.get(task), tagger.conditions.whole
    if not arguments.complete and (length or whole):
        parts = [f"words behind the first {length} of a sentence"] if length else []
        parts += [f"sentences behind the last whole batch of {whole}"] if whole else []
        print(
            f"note: left out, as in the run's evaluations: {', '.join(parts)} (--complete)",
            file=sys.stderr,
        )
    try:
        values = tagger.evaluate(examples, task, arguments.complete)
    except UserError as error:
        if arguments.reader or task not in task_files():
            raise
        advice = f"`--reader {task}` reads the file as the yaml of the task says, labels included."
        raise UserError(f"{error}\n{advice}") from None
    if arguments.json:
        words = sum(len(example.words) for example in examples)
        content = {"task": task, "sentences": len(examples), "words": words, "metrics": values}
        print(json.dumps(content, indent=1))
        return
    titles = {name: metric.title for name, metric in type_.metrics.items()}
    Console().print(metrics_table([Measured(task, arguments.file.name, titles, values)], "file"))


def _reader(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the node of the reader: that of a task's yaml, or the one guessed."""
    columns = arguments.word, arguments.label, arguments.separator
    if arguments.reader:
        if any(columns):
            raise UserError(
                f"--reader {arguments.reader}: the task's yaml says all; leave out --word, --label "
                "and --separator."
            )
        task = definitions([arguments.reader])[arguments.reader]
        if all(where.file is None for where in task.splits.values()):
            raise UserError(f"--reader {arguments.reader}: its sentences are generated, not read.")
        return task.reader
    proposal = guess([arguments.file], *columns)
    for reason in proposal.reasons:
        print(f"note: {reason}", file=sys.stderr)
    return proposal.reader


def _corpus(name: str, file: Path, reader: dict[str, Any], type_: TaskType[Any]) -> Corpus:
    """Return a file as the test split of a corpus."""
    # A corpus has a train split, too; the same file is read once for both.
    where = Split(str(file.absolute()))
    task = Task(name, reader, {"train": where, "test": where}, folder="/")
    corpus = load_corpus(name, task, make_reader(name, task), type_)
    for remark in corpus.remarks:
        print(f"note: {remark}", file=sys.stderr)
    return corpus
