"""Frozen states of a corpus: computed once, kept on disk, and mapped into memory.

The folder of a corpus in the cache (kind `states`) holds `states.npy`, [rows, size] in float16, of
which row 0 is zero; and below `done` a file for each part that has been computed. Processes share
the work: each takes a part that no other one is at. What a killed process was at is computed again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from tqdm import tqdm

from mtl_bench.errors import UserError
from mtl_bench.files import cached_path, write_atomically

VERSION = 1
"""Raised when the code gives other states."""

PART_WORDS = 10_000
"""Words of a part: what a killed process loses."""

Sentence = tuple[str, ...]
States = NDArray[np.float16]


class StateSource(Protocol):
    """What gives words their states.

    Attributes:
        title: for people.
        identity: all that decides the states of a sentence.
        size: numbers of a state.
    """

    title: str
    identity: tuple[str, ...]
    size: int

    def states(self, sentences: Sequence[Sentence]) -> States:
        """Return [words of all sentences, size]; several threads may ask at once."""


class StateTable:
    """The states of the words of some sentences.

    Attributes:
        rows: [R, size] float16; row 0 is zero.
        starts: row of the first word, by sentence.
    """

    def __init__(self, rows: NDArray[np.float16], starts: Mapping[Sentence, int]) -> None:
        """Take the rows and where sentences begin."""
        self.rows = rows
        self.starts = starts

    @classmethod
    def of(cls, sentences: Iterable[Sentence], model: StateSource) -> StateTable:
        """Return the states of sentences, computed now and kept in memory."""
        parts = Parts(sentences)
        rows = np.zeros((parts.rows, model.size), np.float16)
        rows[1:] = model.states(parts.sentences)
        return cls(rows, parts.starts())


class Parts:
    """Different sentences in order of length, and their rows, in parts of about equal work.

    Attributes:
        sentences: all of them.
        rows: of all words, and the row of zeros.
    """

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        """Sort the sentences: an order that follows from what they are, whatever split has them."""
        self.sentences = sorted(set(sentences), key=lambda sentence: (len(sentence), sentence))
        self._ends = np.cumsum([1, *map(len, self.sentences)])  # row 0 is no word's
        self.rows = int(self._ends[-1])

    def starts(self) -> dict[Sentence, int]:
        """Return the row of the first word, by sentence."""
        return dict(zip(self.sentences, self._ends.tolist(), strict=False))

    def __iter__(self) -> Iterator[tuple[int, Sequence[Sentence]]]:
        """Yield the first row and the sentences of each part."""
        numbers = np.flatnonzero(np.diff(self._ends // PART_WORDS)) + 1
        borders = sorted({0, *numbers.tolist(), len(self.sentences)})
        for begin, end in pairwise(borders):
            yield int(self._ends[begin]), self.sentences[begin:end]

    def digest(self) -> str:
        """Return the sha256 of the sentences."""
        digest = hashlib.sha256()
        for sentence in self.sentences:
            digest.update(json.dumps(sentence).encode())  # words may hold any sign
        return digest.hexdigest()


def corpus_states(
    title: str, sentences: Iterable[Sentence], model: StateSource, threads: int
) -> StateTable:
    """Return the states of a corpus from the cache, after computing those that are not there.

    Args:
        title: of the corpus, for people who wait.
        sentences: of all its splits.
        model: that gives the states.
        threads: that compute parts side by side.

    Raises:
        UserError: the cache cannot be written.
    """
    parts = Parts(sentences)
    folder = cached_path("states", title, VERSION, parts.digest(), *model.identity)
    try:
        _compute(title, parts, model, folder, threads)
        # Copy on write: torch wants memory that could be written, and nobody does.
        return StateTable(np.load(folder / "states.npy", mmap_mode="c"), parts.starts())
    except OSError as error:
        raise UserError(
            f"{folder}: the states of {title} cannot be kept ({error.strerror or error}). They "
            f"take {parts.rows * model.size * 2 / 1e6:,.0f} MB. Set MTL_BENCH_CACHE to a folder "
            "with space, or type `mtl-bench cache` to see what can be removed."
        ) from None


def _compute(title: str, parts: Parts, model: StateSource, folder: Path, threads: int) -> None:
    """Compute the parts that are not done; return when all are."""
    header = _header(parts.rows, model.size)
    _make_file(folder, header, len(header) + parts.rows * model.size * 2)
    numbered = list(enumerate(parts))
    left = [part for part in numbered if not _is_done(folder, len(header), part, model)]
    if not left:
        return
    # Off a terminal, a line before; nobody reads the thousand steps of a bar in a log.
    megabytes = parts.rows * model.size * 2 / 1e6
    text = f"states of {title} from {model.title}"
    if not sys.stderr.isatty():
        print(f"{text}: {parts.rows - 1:,} words, {megabytes:,.0f} MB, once", file=sys.stderr)
    words = sum(len(sentence) for _, part in left for sentence in part[1])
    with (
        tqdm(total=words, desc=text, unit=" words", disable=None) as bar,
        ThreadPoolExecutor(threads) as pool,
    ):
        for wait in (False, True):  # first what nobody is at, then what others did not finish
            jobs = [(folder, len(header), part, model, wait) for part in left]
            for done in pool.map(_compute_part, jobs):
                bar.update(done)


def _make_file(folder: Path, header: bytes, size: int) -> None:
    """Make `states.npy` with its header and of its size, unless it is so.

    Where it is not, such as after a copy that was cut short, no part counts as done.
    """
    path = folder / "states.npy"
    if _is_whole(path, header, size):
        return  # without a lock: a cache that is complete need not be writable
    (folder / "done").mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if _is_whole(path, header, size):
            return
        for marker in (folder / "done").glob("*[0-9]"):
            marker.unlink()
        path.touch()
        os.truncate(path, size)  # in place: what another process is writing into it stays
        _write(path, 0, header)


def _is_whole(path: Path, header: bytes, size: int) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(header)) == header and path.stat().st_size == size
    except FileNotFoundError:
        return False


def _compute_part(job: tuple[Path, int, tuple[int, Any], StateSource, bool]) -> int:
    """Compute a part, unless it is done or another process is at it; return its words."""
    folder, offset, (number, (row, sentences)), model, wait = job
    marker = _marker(folder, number)
    try:
        with FileLock(f"{marker}.lock", timeout=-1 if wait else 0):
            if _is_done(folder, offset, (number, (row, sentences)), model):
                return 0
            states = model.states(sentences)
            content = states.tobytes()
            _write(folder / "states.npy", offset + row * model.size * 2, content)
            write_atomically(marker, str(zlib.crc32(content)))
            return len(states)
    except Timeout:
        return 0


def _is_done(folder: Path, offset: int, part: tuple[int, Any], model: StateSource) -> bool:
    """Return whether a part was computed, and is still what was written.

    A checksum is enough against damage, and fast: all states are read at each start.
    """
    number, (row, sentences) = part
    try:
        checksum = _marker(folder, number).read_text()
        size = sum(map(len, sentences)) * model.size * 2
        with (folder / "states.npy").open("rb") as stream:
            stream.seek(offset + row * model.size * 2)
            content = stream.read(size)
    except FileNotFoundError:
        return False
    return checksum in ("", str(zlib.crc32(content)))  # empty: of an earlier version


def _write(path: Path, place: int, content: bytes) -> None:
    """Write into the file, not into mapped memory, where a full disk would kill the process."""
    left = memoryview(content)
    descriptor = os.open(path, os.O_WRONLY)
    try:
        while left:
            written = os.pwrite(descriptor, left, place)
            left, place = left[written:], place + written
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _marker(folder: Path, number: int) -> Path:
    return folder / "done" / f"{number}"


def _header(rows: int, size: int) -> bytes:
    """Return the header of an `.npy` of float16."""
    header = io.BytesIO()
    description = {"descr": "<f2", "fortran_order": False, "shape": (rows, size)}
    np.lib.format.write_array_header_1_0(header, description)
    return header.getvalue()
