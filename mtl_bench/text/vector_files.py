"""Files of word vectors: `.txt` (a word and its numbers a line), `.zip` of one, or `.npz`."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from mtl_bench.errors import UserError

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class VectorFile:
    """What a file holds.

    Attributes:
        words: [V].
        vectors: [V, dim].
        mean: [dim] start value of unknown words.
        fitted: [V] whether the file marks a vector as fitted from others.
    """

    words: Sequence[str]
    vectors: Vectors
    mean: Vectors
    fitted: NDArray[np.bool_]


def read_vectors(path: Path, dim: int, member: str | None, words_sha256: str | None) -> VectorFile:
    """Return what a file holds.

    Args:
        path: `.txt`, `.zip` or `.npz`.
        dim: length of a vector.
        member: the file inside a `.zip`.
        words_sha256: checksum of the words, one a line, where it is known.

    Raises:
        UserError: the file is damaged, of another shape, or has other words.
    """
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            if not {"words", "vectors"} <= set(arrays):
                raise UserError(f"{path}: has no arrays 'words' and 'vectors'.")
            words = [str(word) for word in arrays["words"]]
            vectors = arrays["vectors"].astype(np.float32)
            mean = arrays["mean_all"] if "mean_all" in arrays else vectors.mean(axis=0)
            fitted = arrays["source"] == 1 if "source" in arrays else np.zeros(len(words), bool)
        if vectors.shape != (len(words), dim):
            raise UserError(
                f"{path}: vectors have shape {vectors.shape}, expected ({len(words)}, "
                f"{dim}): a row for each word, `embeddings.dim` numbers each."
            )
    else:
        words, vectors = _read_text(path, dim, member)
        mean, fitted = vectors.mean(axis=0, dtype=np.float64), np.zeros(len(words), bool)
    if mean.shape != (dim,) or not (np.isfinite(vectors).all() and np.isfinite(mean).all()):
        raise UserError(f"{path}: holds numbers that are not finite, or a mean of another length.")
    if any("\n" in word or "\r" in word for word in words):
        raise UserError(f"{path}: holds a word with a line break in it.")
    if words_sha256:
        found = hashlib.sha256("\n".join(words).encode()).hexdigest()
        if found != words_sha256:
            raise UserError(
                f"{path}: its {len(words)} words are not those expected (sha256 {found}, "
                f"expected {words_sha256}). It may be cut short, or another release."
            )
    return VectorFile(words, vectors, mean.astype(np.float32), fitted)


def _read_text(path: Path, dim: int, member: str | None) -> tuple[list[str], Vectors]:
    words: list[str] = []
    rows: list[NDArray[np.float32]] = []
    with _open(path, member) as stream:
        for number, line in enumerate(stream, start=1):
            # From the right: a few words of GloVe's larger files contain blanks.
            parts = line.rstrip().rsplit(b" ", dim)
            try:
                words.append(parts[0].decode("utf-8"))
                rows.append(np.array(parts[1:], dtype=np.float32))
                if len(rows[-1]) != dim:
                    raise ValueError
            except ValueError:
                raise UserError(
                    f"{path}, line {number}: expected a word and {dim} numbers "
                    f"(embeddings.dim) with blanks between.\n    {line[:80]!r}"
                ) from None
    if not words:
        raise UserError(f"{path}: has no word vectors.")
    return words, np.stack(rows)


@contextmanager
def _open(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    """Open a text file, or a member of a zip archive."""
    if path.suffix != ".zip":
        with path.open("rb") as stream:
            yield stream
        return
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".txt")]
            if member not in names:
                raise UserError(
                    f"{path}: has no member {member!r}. It has: {', '.join(names) or 'no .txt'}.\n"
                    "Choose one with `embeddings.member=...`."
                )
            with archive.open(member) as stream:
                yield stream
    except zipfile.BadZipFile:
        raise UserError(f"{path}: is not a zip archive, or is cut short.") from None
