"""The corpus of a task: read by its reader, or from the cache, cut into splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from mtl_bench.errors import UserError
from mtl_bench.tasks.cache import CorpusCache, Reading
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.definition import Reader, Task, checksums, data_folder
from mtl_bench.tasks.examples import SPLITS, Example, Note, Remark, SplitName
from mtl_bench.tasks.types.base import TaskType


def load_corpus(name: str, task: Task, reader: Reader, type_: TaskType[Any]) -> Corpus:
    """Read the splits of a task.

    Args:
        name: of the task.
        task: its definition.
        reader: made from `task.reader`.
        type_: made from `task.type`.

    Raises:
        UserError: a split is missing or empty, a file is malformed, or a target is none of the
            task's type.
    """
    unknown = set(task.splits) - set(SPLITS)
    missing = {"train", "test"} - set(task.splits)
    if unknown or missing:
        raise UserError(
            f"task '{name}': splits are {', '.join(task.splits) or 'not given'}; "
            "'train' and 'test' are needed and 'dev' is possible, nothing else."
        )
    cache = CorpusCache(name, task.reader, task.splits, checksums(name, task))
    if (reading := cache.load()) is None:
        reading = _read_splits(name, task, reader)
        cache.save(*reading)
    splits, remarks = reading
    splits = {split: tuple(map(type_.example, examples)) for split, examples in splits.items()}
    # What the cache holds may have been read for another type.
    for split, examples in splits.items():
        for number, example in enumerate(examples, start=1):
            try:
                type_.validate(example)
            except (ValueError, TypeError) as error:
                raise UserError(f"task '{name}', {split}, sentence {number}: {error}.") from None
    return Corpus(name, splits, type_, remarks)


def _read_splits(name: str, task: Task, reader: Reader) -> Reading:
    """Read each file once, whatever splits are cut from it."""
    root = data_folder(task)
    bounds = {}
    places: dict[tuple[str | None, str | None], list[str]] = {}
    for split, where in task.splits.items():
        try:
            bounds[split] = where.bounds()
        except UserError as error:
            raise UserError(f"task '{name}', its {split} split: {error}") from None
        places.setdefault((where.file, where.part), []).append(split)
    splits: dict[SplitName, tuple[Example, ...]] = dict.fromkeys(SPLITS, ())
    remarks: list[Remark] = []
    for (file, part), names in places.items():
        # What is generated has no end; a file is read to its end, to count what no split uses.
        ends = [end for split in names if (end := bounds[split][1]) is not None]
        last = max(ends) if file is None and len(ends) == len(names) else None
        examples, notes = _read(name, reader, None if file is None else root / file, part, last)
        numbers_used: set[int] = set()
        for split in names:
            numbers = range(len(examples))[slice(*bounds[split])]
            if not numbers:
                where = task.splits[split]
                raise UserError(
                    f"task '{name}': its {split} split has no sentences"
                    + (f" ({root / where.file})" if where.file else "")
                    + (f"; sentences {where.sentences} were asked for." if where.sentences else ".")
                    + f"\nIts reader found {len(examples):,} sentences there."
                )
            # load_corpus has checked the names.
            splits[cast(SplitName, split)] = tuple(examples[n] for n in numbers)
            numbers_used.update(numbers)
        unused = [n for n in range(len(examples)) if n not in numbers_used]
        if unused:
            text = "sentences that no split uses"
            notes.append(Note(text, f"sentence {unused[0] + 1}", len(unused), expected=True))
        remarks += _remarks(notes, part or (Path(file).name if file else name))
    return splits, tuple(remarks)


def _read(
    name: str, reader: Reader, file: Path | None, part: str | None, last: int | None
) -> tuple[list[Example], list[Note]]:
    """Read a file once for all splits that share it, or what is generated up to a `last`."""
    examples, notes = [], []
    try:
        for each in reader(file, part):
            if isinstance(each, Note):
                notes.append(each)
            else:
                examples.append(each)
            if len(examples) == last:
                break
    except UserError as error:
        raise UserError(f"task '{name}': {error}") from None
    return examples, notes


def _remarks(notes: list[Note], place: str) -> Iterator[Remark]:
    """Yield a remark for each kind of note about a file."""
    counts: Counter[str] = Counter()
    first: dict[str, Note] = {}
    for note in notes:
        counts[note.text] += note.times
        first.setdefault(note.text, note)
    for text, count in counts.items():
        yield Remark(f"{place}: {text}", count, first[text].where, first[text].expected)
