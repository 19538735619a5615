"""`mtl-bench tag`: tag sentences with the tagger that a run kept.

Reads a file, or the standard input, and writes to the standard output, a chunk of sentences at a
time. Exit code 0: all is tagged; 2: the tagger or a line cannot be read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtl_bench.commands.shared.arguments import at_least_1
from mtl_bench.commands.shared.taggers import add_tagger, tagger_of
from mtl_bench.errors import UserError
from mtl_bench.tasks.sentences.formats import FORMATS, Words
from mtl_bench.tasks.sentences.read import Format, chunks, sentences
from mtl_bench.tasks.sentences.stream import open_lines

if TYPE_CHECKING:
    from mtl_bench.models.tagger import Tagged
    from mtl_bench.models.trained import TrainedTagger

HELP = "tag sentences with the tagger of a run"
STDIN = Path("-")
INTERRUPTED = 130  # 128 + SIGINT, as shells have it

# What would end a cell or a line of CoNLL.
BREAK = re.compile("[\t\r\n]")


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_tagger(parser)
    parser.add_argument(
        "file", type=Path, nargs="?", default=STDIN, help="of sentences; - is the standard input"
    )
    parser.add_argument(
        "--task",
        action="append",
        help="task to tag, or `all`; may be repeated (default: the main task)",
    )
    parser.add_argument(
        "--input",
        choices=FORMATS,
        help="plain: a sentence a line, words between blanks; conll: a word a line; jsonl: lists "
        "of words, or objects with `words` or `tokens`; raw: running text (default: guessed)",
    )
    parser.add_argument(
        "--raw", dest="input", action="store_const", const="raw", help="the same as --input raw"
    )
    parser.add_argument("--word", help="column of conll (from 1), or key of jsonl, of the words")
    parser.add_argument("--language", help="of raw text, as spaCy calls it (default: en)")
    parser.add_argument(
        "--output",
        choices=("conll", "jsonl"),
        default="conll",
        help="conll: a word a line, then a column for each task; jsonl: an object a sentence",
    )
    parser.add_argument(
        "--scores", action="store_true", help="probability of each label, from 0 to 1"
    )
    parser.add_argument(
        "--chunk",
        type=at_least_1,
        default=1000,
        help="sentences that are tagged and written at once (default: 1000)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Tag sentences as they come."""
    format_ = Format(arguments.input, arguments.word, arguments.language)
    file = None if arguments.file == STDIN else arguments.file
    try:
        with open_lines(file) as source:  # first: to load the tagger takes seconds
            tagger = tagger_of(arguments)
            tasks = _tasks(tagger, arguments.task or [], arguments.output)
            for chunk in chunks(sentences(source, format_), arguments.chunk):
                tagged = tagger.tag_tasks(chunk, tasks, arguments.scores)
                write = _conll if arguments.output == "conll" else _jsonl
                # As bytes: the encoding of the terminal's language may lack characters.
                sys.stdout.buffer.write("".join(write(chunk, tagged)).encode())
                sys.stdout.buffer.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _tasks(tagger: TrainedTagger, names: Sequence[str], output: str) -> list[str]:
    """Return the tasks to tag, in the order asked for.

    Raises:
        UserError: the tagger lacks one, or the output cannot hold it.
    """
    asked = dict.fromkeys(
        task
        for name in names or [tagger.main]
        for task in (tagger.tasks if name == "all" else [name])
    )
    tagger.check_tasks(list(asked))
    by_sentence = [task for task in asked if tagger.tasks[task].type.level != "word"]
    if by_sentence and output == "conll":
        raise UserError(
            f"task '{by_sentence[0]}' has one target a sentence, which is no column of words. Type "
            "`--output jsonl`."
        )
    keys = ["words", *asked, *(f"{task}_scores" for task in asked)]
    if output == "jsonl" and len(set(keys)) < len(keys):
        raise UserError(
            f"the keys {', '.join(keys)} of an object would collide. Type `--output conll`, or tag "
            "one task at a time."
        )
    return list(asked)


def _conll(chunk: Sequence[Words], tagged: Mapping[str, Tagged]) -> Iterator[str]:
    """Yield the text of each sentence that has words, with a blank line behind it."""
    for number, words in enumerate(chunk):
        columns: list[Sequence[str]] = [words]
        for targets, scores in tagged.values():
            columns.append([str(target) for target in targets[number]])
            if scores is not None:
                columns.append([f"{score:.4f}" for score in scores[number]])
        for cells in zip(*columns, strict=True):
            if wrong := next(filter(BREAK.search, cells), None):
                raise UserError(
                    f"{wrong!r} has a tab or line break, which a column cannot hold. Type "
                    "`--output jsonl`."
                )
            yield "\t".join(cells) + "\n"
        if words:
            yield "\n"


def _jsonl(chunk: Sequence[Words], tagged: Mapping[str, Tagged]) -> Iterator[str]:
    """Yield an object for each sentence."""
    for number, words in enumerate(chunk):
        content: dict[str, Any] = {"words": words}
        for task, (targets, scores) in tagged.items():
            content[task] = targets[number]
            if scores is not None:
                content[f"{task}_scores"] = _rounded(scores[number])
        yield json.dumps(content, ensure_ascii=False) + "\n"


def _rounded(scores: Any) -> Any:
    """Return a score, or those of words, with four decimals."""
    if isinstance(scores, list):
        return [_rounded(score) for score in scores]
    return round(scores, 4) if isinstance(scores, float) else scores
