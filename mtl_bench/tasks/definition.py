"""What a `conf/task/<name>.yaml` may say, and where the files are that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.files import cache_folder, sha256
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.fetch import Source, expected, fetch, mirror_folder, missing_files

LANGUAGE_MODEL = "lm_"
"""What before a task's name makes a language model of its sentences."""

Reader = Callable[[Path | None, str | None], Iterator[Example | Note]]
"""Called with a file or folder and the part of it that the split names (or None)."""


@dataclass
class Split:
    """Where the sentences of a split are.

    Attributes:
        file: a file or folder: below the data folder if the task has sources, else relative to
            the task's yaml. None for generated tasks.
        part: of the file or folder; the reader says what its parts are (a zip archive's files).
        sentences: `first:last`, counted from 0, last excluded, as in Python (`500:`).
    """

    file: str | None = None
    part: str | None = None
    sentences: str | None = None

    def bounds(self) -> tuple[int, int | None]:
        """Return first and last+1 (None: to the end) of the sentences chosen."""
        first, colon, last = (self.sentences or ":").partition(":")
        try:
            start, stop = int(first or 0), int(last) if last else None
        except ValueError:
            start, stop = -1, None
        if not colon or start < 0 or (stop is not None and stop <= start):
            raise UserError(
                f"sentences: {self.sentences!r} is not a range. Write 'first:last' with whole "
                "numbers from 0, in quotes, such as ':500' (the first 500) or '500:' (all others)."
            )
        return start, stop


@dataclass
class Task:
    """One task; the schema of `conf/task/*.yaml`.

    Attributes:
        title: one line for tables.
        reader: `_target_` of the reader and its options.
        splits: train, test and, if there is one, dev.
        sources: public files that the splits are read from; empty for own files.
        licence: under which the data may be used, in words.
        citation: the work to cite.
        homepage: where a person reads more.
        type: a file of `conf/type`, such as tagging; or a map with its `name` and options; or
            `_target_`, `head` and options of a type of your own.
        outside: option of `tagging`: label that F1 leaves out, or null.
        spans: option of `tagging`: by which scheme labels mark spans (io, iob1, bio, bioes, bilou,
            bmes), or null.
        max_length: words kept of a training sentence; follows `data.max_length`.
        obtain: how a person gets data that cannot be downloaded for them, or null.
        root: folder of such data; a relative one is looked for here, in the mirror and the cache.
        stands_in_for: the task of the paper that this one replaces, where it does.
        deviation: why its numbers are not those of the paper's Table 1.
        folder: where relative files of the yaml are; filled in when the yaml is read.
    """

    title: str
    reader: dict[str, Any]
    splits: dict[str, Split]
    sources: list[Source] = field(default_factory=list)
    licence: str | None = None
    citation: str | None = None
    homepage: str | None = None
    type: Any = "tagging"
    outside: str | None = None
    spans: str | None = None
    max_length: int | None = None
    obtain: str | None = None
    root: str | None = None
    stands_in_for: str | None = None
    deviation: str | None = None
    folder: str = "."


def data_folder(task: Task) -> Path:
    """Return the folder that a task's files are relative to, after downloading what it lacks.

    Raises:
        UserError: the data is neither here nor can it be downloaded.
    """
    if bool(task.root) != bool(task.obtain) or (task.sources and task.obtain):
        raise UserError(
            f"{task.title}: `root` and `obtain` belong together, and never stand beside `sources`: "
            "they are for data that is not redistributable.\n"
            f"Given: root: {task.root!r}, obtain: {task.obtain!r}, {len(task.sources)} sources. "
            "Files of one's own lie beside the task's yaml and need neither."
        )
    if task.sources:
        return fetch(task.sources, task.licence, Path(task.folder))
    if task.obtain is None:
        return Path(task.folder)
    folders = _own_folders(task)
    for folder in folders:
        if folder.is_dir():
            return folder
    raise UserError(
        f"{task.title}: its data is not here.\n{task.obtain.strip()}\n"
        "Looked for in:\n  " + "\n  ".join(map(str, folders)) + "\n"
        "Put it there, or say where it is with `tasks.<name>.root=<folder>`."
    )


def is_here(task: Task) -> bool:
    """Return whether a task's files are on this machine; nothing is downloaded."""
    if task.sources:
        _, missing = missing_files(task.sources, Path(task.folder))
        mirror = mirror_folder()
        # An archive in the mirror will do: the files are unpacked from it when they are needed.
        return not missing or all(
            source.archive is not None and mirror is not None and (mirror / source.archive).exists()
            for source in task.sources
        )
    if task.obtain and task.root:
        return any(folder.is_dir() for folder in _own_folders(task))
    return True


def _own_folders(task: Task) -> list[Path]:
    """Return where the data of a task that nobody can download may be."""
    folders = (Path.cwd(), mirror_folder(), cache_folder())
    root = Path(task.root or ".").expanduser()
    return list(dict.fromkeys(folder / root for folder in folders if folder))


def checksums(name: str, task: Task) -> dict[str, str]:
    """Return a sha256 by split: of its file, or over all files of its folder.

    Raises:
        UserError: a file is not there.
    """
    root = data_folder(task)
    # Public files were compared with their sums when they were fetched.
    expected_sums = {
        file.path: file.sha256 or sha256(root / file.path)
        for source in task.sources
        for file in expected(source, Path(task.folder))
    }
    sums = {}
    for split, where in task.splits.items():
        if where.file is None:
            continue
        place = root / where.file
        if not place.exists():
            raise UserError(
                f"task '{name}', its {split} split: there is no file '{place}'.\n"
                f"{task.obtain or 'Paths in a yaml of your own are relative to the yaml.'}"
            )
        if place.is_file():
            sums[split] = sha256(place)
            continue
        files = {
            path: digest
            for path, digest in expected_sums.items()
            if path.startswith(f"{where.file}/")
        } or {str(f.relative_to(root)): sha256(f) for f in place.rglob("*") if f.is_file()}
        digests = "".join(f"{digest}  {path}\n" for path, digest in sorted(files.items()))
        sums[split] = hashlib.sha256(digests.encode()).hexdigest()
    return sums
