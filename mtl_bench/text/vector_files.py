"""Files of word vectors: text (a word and its numbers a line), plain or compressed, or `.npz`."""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import lzma
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mtl_bench.compressed import DAMAGE, most_bytes, open_file, too_large
from mtl_bench.errors import UserError

Vectors = NDArray[np.float32]

COMPRESSED: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
"""What opens a file, by the bytes that it begins with."""

MOST_GB = 12.0
"""What a compressed file may expand to: GloVe 840B, the largest in use, takes 5.7 GB."""


@dataclass(frozen=True)
class VectorFile:
    """What a file holds.

    Attributes:
        words: [V].
        vectors: [V, dim].
        mean: [dim] start value of unknown words.
        fitted: [V] whether the file marks a vector as fitted from others.
        repeated: rows left out because an earlier one has the same word.
    """

    words: Sequence[str]
    vectors: Vectors
    mean: Vectors
    fitted: NDArray[np.bool_]
    repeated: int


def read_vectors(path: Path, dim: int, member: str | None, words_sha256: str | None) -> VectorFile:
    """Return what a file holds.

    Args:
        path: a text file (GloVe's, or word2vec's and fastText's with their header line), plain,
            in a `.zip`, or compressed by gzip, bzip2 or xz; or an `.npz`.
        dim: length of a vector.
        member: the file inside a `.zip`.
        words_sha256: checksum of the words, one a line, where it is known.

    Raises:
        UserError: the file is damaged, of another shape, or has other words.
    """
    if path.suffix == ".npz":
        words, vectors, mean, fitted = _read_arrays(path)
        if vectors.shape != (len(words), dim):
            raise UserError(
                f"{path}: vectors have shape {vectors.shape}, expected ({len(words)}, "
                f"{dim}): a row for each word, `embeddings.dim` numbers each."
            )
    else:
        words, vectors = _read_text(path, dim, member)
        mean, fitted = vectors.mean(axis=0, dtype=np.float64), np.zeros(len(words), bool)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise UserError(
            f"{path}: {int((~finite).sum()):,} vectors have numbers that are not finite, first "
            f"that of {words[row]!r} (row {row + 1}). Remove these rows."
        )
    if mean.shape != (dim,) or not np.isfinite(mean).all():
        raise UserError(f"{path}: its mean is not {dim} finite numbers.")
    if fitted.shape != (len(words),):
        raise UserError(f"{path}: its array 'source' is not a number for each word.")
    if any("\n" in word or "\r" in word for word in words):
        raise UserError(f"{path}: holds a word with a line break in it.")
    if words_sha256:
        digest = hashlib.sha256("\n".join(words).encode()).hexdigest()
        if digest != words_sha256:
            raise UserError(
                f"{path}: its {len(words)} words are not those expected (sha256 {digest}, "
                f"expected {words_sha256}). It may be cut short, or another release."
            )
    # Of repeated rows the first counts, as in gensim.
    first = {word: row for row, word in reversed(list(enumerate(words)))}
    rows = sorted(first.values())
    repeated = len(words) - len(rows)
    if repeated:
        words, vectors, fitted = [words[row] for row in rows], vectors[rows], fitted[rows]
    return VectorFile(words, vectors, mean.astype(np.float32), fitted, repeated)


def _read_arrays(path: Path) -> tuple[list[str], Vectors, Vectors, NDArray[np.bool_]]:
    """Return words, vectors, their mean and which are fitted, of an `.npz`."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
            names = [each.filename for each in archive.infolist()]
        if size > most_bytes(MOST_GB):
            raise too_large(f"{path}: expands to {size / 1e9:.1f} GB.")
        if strange := [name for name in names if not name.endswith(".npy")]:
            raise UserError(f"{path}: holds {strange[0]!r}, which is no array.")
        with path.open("rb") as stream, np.load(stream) as arrays:
            if not {"words", "vectors"} <= set(arrays):
                raise UserError(
                    f"{path}: has no arrays 'words' and 'vectors'. It has: "
                    f"{', '.join(arrays) or 'none'}."
                )
            words = [str(word) for word in arrays["words"]]
            vectors = arrays["vectors"].astype(np.float32)
            mean = arrays["mean_all"] if "mean_all" in arrays else vectors.mean(axis=0)
            fitted = arrays["source"] == 1 if "source" in arrays else np.zeros(len(words), bool)
    except (
        *DAMAGE,
        *(OSError, ValueError, TypeError, LookupError, RuntimeError, MemoryError, OverflowError),
    ) as error:
        raise UserError(
            f"{path}: is not an .npz of the arrays 'words' (text) and 'vectors' (numbers): {error}."
        ) from None
    return words, vectors, mean, fitted


def _read_text(path: Path, dim: int, member: str | None) -> tuple[list[str], Vectors]:
    words: list[str] = []
    rows: list[NDArray[np.float32]] = []
    header = None
    with _open(path, member) as stream:
        for number, line in enumerate(stream, start=1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
                header = _header(line, dim)
                if header:
                    continue
            if not line.strip():
                continue
            if header and header[1] != dim and not words:
                raise _wrong_header(path, header[1], _numbers(line), dim)
            # From the right: a few words of GloVe's larger files contain blanks.
            parts = line.rsplit(None, dim)
            try:
                words.append(parts[0].strip().decode("utf-8"))
                rows.append(np.array(parts[1:], dtype=np.float32))
                if len(rows[-1]) != dim or (len(rows) == 1 and _numbers(line) > dim):
                    raise ValueError
            except (ValueError, IndexError):
                if len(rows) < 2 and (size := _numbers(line)) not in (0, dim):
                    raise _other_size(path, size, dim) from None
                raise UserError(
                    f"{path}, line {number}: expected a word and {dim} numbers "
                    f"(embeddings.dim) with blanks or tabs between.\n    {line[:80]!r}"
                    + _encoding_advice(line, dim)
                ) from None
    if not words:
        raise UserError(f"{path}: has no word vectors.")
    if header and header[0] != len(words):
        raise UserError(
            f"{path}: its first line promises {header[0]:,} words, but it has {len(words):,}. It "
            "may be cut short; if it is as it should be, delete that line."
        )
    return words, np.stack(rows)


def _header(line: bytes, dim: int) -> tuple[int, int] | None:
    """Return words and numbers a word that the header of word2vec or fastText promises, if any."""
    cells = line.split()
    # With one number a vector, a line such as `2017 1` may well be a word's.
    # Python reads no whole numbers of thousands of digits.
    if len(cells) != 2 or dim == 1 or not all(c.isdigit() and len(c) < 20 for c in cells):
        return None
    return int(cells[0]), int(cells[1])


def _numbers(line: bytes) -> int:
    """Return how many numbers stand at the end of a line, behind its first cell."""
    count = 0
    for cell in reversed(line.split()[1:]):
        try:
            float(cell)
        except ValueError:
            break
        count += 1
    return count


def _other_size(path: Path, size: int, dim: int) -> UserError:
    return UserError(
        f"{path}: its vectors have {size} numbers; embeddings.dim is {dim}. Type "
        f"`embeddings.dim={size}`."
    )


def _wrong_header(path: Path, promised: int, counted: int, dim: int) -> UserError:
    if counted in (0, promised):
        return _other_size(path, promised, dim)
    return UserError(
        f"{path}: its first line promises vectors of {promised} numbers, but the next line has "
        f"{counted}. Correct the first line, or delete it; embeddings.dim is {dim}."
    )


def _encoding_advice(line: bytes, dim: int) -> str:
    """Return what to do with a line that is not UTF-8, such as one of a binary file."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        if _numbers(line) == dim:
            return (
                "\nThe word is not UTF-8. Convert the file, for example with `iconv -f latin1 -t "
                "utf-8` if that is its encoding."
            )
        return (
            "\nA binary file of word2vec or fastText? Take its text version (.vec, .txt), or "
            "convert it, for example with gensim's `KeyedVectors.load_word2vec_format(..., "
            "binary=True)` and `save_word2vec_format(...)`."
        )
    return ""


@contextmanager
def _open(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    """Open a text file, plain or compressed, or a member of a zip archive."""
    with path.open("rb") as stream:
        begin = stream.read(6)
    if begin.startswith(b"PK\x03\x04") or path.suffix == ".zip":
        member = _member(path, member)
    else:
        member = None
    opener = next((o for magic, o in COMPRESSED.items() if begin.startswith(magic)), None)
    with open_file(path, member, opener=opener, most_gb=MOST_GB) as stream:
        yield stream


def _member(path: Path, member: str | None) -> str:
    """Return the member of a zip archive to read: the one named, or the only text file."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith((".txt", ".vec"))]
    except (zipfile.BadZipFile, NotImplementedError):  # damage may read as an unknown version
        raise UserError(f"{path}: is not a zip archive, or is cut short.") from None
    choice = names[0] if member is None and len(names) == 1 else member
    if choice not in names:
        raise UserError(
            f"{path}: has {'no member ' + repr(member) if member else 'several members'}: "
            f"{', '.join(names) or 'no .txt'}.\nChoose one with `embeddings.member=...`."
        )
    return str(choice)
