"""Word vectors from a file that the user names, or a public one; never a silent fallback."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from mtl_bench.errors import UserError
from mtl_bench.files import cache_folder, cached_path, filled_at_once, sha256
from mtl_bench.tasks import fetch
from mtl_bench.text.embeddings import WORD_INPUT, WordTest, check_text, check_whole
from mtl_bench.text.vector_files import Vectors, read_vectors
from mtl_bench.text.vocabulary import Vocabulary

CACHE_VERSION = 2
"""Raised when a converted file has other content."""

WORTH_A_REMARK = 0.02
"""Share of the different words that another case would find."""


class PretrainedVectors:
    """Vectors from a file: text, or an `.npz`.

    A text file has a word and its numbers a line, with or without the header line of word2vec and
    fastText; plain, in a `.zip`, or compressed by gzip, bzip2 or xz.

    An `.npz` holds `words`, `vectors` and, if it likes, `mean_all` (the mean to start unknown
    words from) and `source` (1 marks vectors fitted from others, which the record counts).

    The file is converted once to a folder in the cache, from which all processes map the same
    memory.
    """

    input, gives, quick = WORD_INPUT, "vectors", True

    def __init__(
        self,
        dim: int,
        file: str | None,
        member: str | None = None,
        url: str | None = None,
        sha256: str | None = None,
        words_sha256: str | None = None,
        mirror_only: bool = False,
        licence: str | None = None,
    ) -> None:
        """Name the file.

        Args:
            dim: length of a vector.
            file: path, or for a public file its place below the data folder.
            member: the file inside a `.zip`.
            url: address of a public file.
            sha256: checksum of the file, where it is known.
            words_sha256: checksum of its words, one a line.
            mirror_only: the file is below MTL_BENCH_MIRROR and nowhere else.
            licence: of a public file.
        """
        check_whole("dim", dim)
        texts = {"file": file, "member": member, "url": url, "sha256": sha256}
        for name, text in (texts | {"words_sha256": words_sha256, "licence": licence}).items():
            check_text(name, text)
        self.dim = dim
        self.file = file
        self.member = member
        self.url = url
        self.sha256 = sha256
        self.words_sha256 = words_sha256
        self.mirror_only = mirror_only
        self.licence = licence

    def path(self) -> Path:
        """Return the file, after downloading it if it is a public one that is not here."""
        if self.file is None:
            raise UserError(
                "embeddings.file: no file is given. Type `embeddings.file=<path>` of a .txt, .zip "
                "or .npz file with word vectors."
            )
        if self.mirror_only:
            mirror = fetch.mirror_folder()
            if mirror is None:
                raise UserError(
                    f"embeddings.file: {self.file} is only in a local mirror.\nSet "
                    "MTL_BENCH_MIRROR to its folder, or choose `embeddings=glove` or "
                    "`embeddings=random`."
                )
            path = mirror / self.file
        elif self.url is None:
            path = Path(self.file).expanduser()
        else:
            source = fetch.Source(self.file, self.url, self.sha256)
            try:
                path = fetch.fetch([source], self.licence) / self.file
            except UserError as error:
                raise UserError(
                    f"{error}\nOther vectors: `embeddings=glove_union` (of a mirror that has them),"
                    " `embeddings=random`, or your own: `embeddings=file embeddings.file=...`."
                ) from None
        if not path.is_file():
            raise UserError(
                f"embeddings.file: there is no file '{path}' (looked for in {Path.cwd()}).\nGive "
                "the path of a file with word vectors, or choose `embeddings=random`."
            )
        return path

    def is_here(self) -> bool:
        """Return whether nothing need be downloaded."""
        if self.url is None:
            return True
        folders = (fetch.mirror_folder(), cache_folder())
        return any((folder / str(self.file)).is_file() for folder in folders if folder)

    def checksum(self) -> str:
        """Return the sha256 of the file."""
        return sha256(self.path())

    def with_vector(self, train: Iterable[str]) -> WordTest:  # noqa: ARG002 (the same for all corpora)
        """Return a test for words that the file has."""
        words = set(_words(self._converted()))
        return words.__contains__

    def table(self, vocabulary: Vocabulary, seed: int) -> tuple[Vectors, dict[str, int | str]]:  # noqa: ARG002
        """Return the vectors of the vocabulary's words."""
        folder = self._converted()
        vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        fitted = np.load(folder / "fitted.npy", mmap_mode="r")
        number = {word: n for n, word in enumerate(vocabulary.words)}
        table = np.repeat(np.load(folder / "mean.npy")[None], len(vocabulary), axis=0)
        # One pass over the file's words, which are many more than the run's.
        pairs = [(number[word], row) for row, word in enumerate(_words(folder)) if word in number]
        own, of_file = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        table[own] = vectors[of_file]
        facts: dict[str, int | str] = {
            "file": self.path().name,
            "sha256": self.checksum(),
            "rows": len(vocabulary),
            "fitted_rows": int(fitted[of_file].sum()),
        }
        return table, facts

    def remarks(self, words: Collection[str]) -> list[str]:
        """Return whether other case would find more words, and the rows that were left out."""
        folder = self._converted()
        name, rows = self.path().name, set(_words(folder))
        remarks = []
        if repeats := int(np.load(folder / "repeated.npy")):
            remarks.append(f"{name}: rows left out, whose word an earlier row has: {repeats:,}")
        lower_case = {row.lower() for row in rows}
        missing = [word for word in words if word not in rows]
        more = sum(word.lower() in lower_case for word in missing)
        if more > WORTH_A_REMARK * len(words):
            has_capitals = any(word != word.lower() for word in words)
            if has_capitals and any(word.lower() in rows for word in missing):
                advice = "type data.lowercase=true"
            elif has_capitals or all(row == row.upper() for row in rows):
                advice = "write the words of the file in lower case, and type data.lowercase=true"
            else:
                advice = "type data.lowercase=false"
            remarks.append(
                f"{name}: {more:,} of {len(words):,} different words have a vector in another case "
                f"only: {advice}"
            )
        return remarks

    def _converted(self) -> Path:
        """Return the cache's folder with the words and arrays of the file."""
        path = self.path()
        inputs = (CACHE_VERSION, sha256(path), self.member, self.dim)
        folder = cached_path("vectors", "", *inputs)
        if not folder.exists():
            content = read_vectors(path, self.dim, self.member, self.words_sha256)
            with filled_at_once(folder) as temporary:
                (temporary / "words.txt").write_text(
                    "\n".join(content.words), "utf-8", newline="\n"
                )
                np.save(temporary / "vectors.npy", content.vectors)
                np.save(temporary / "mean.npy", content.mean)
                np.save(temporary / "fitted.npy", content.fitted)
                np.save(temporary / "repeated.npy", content.repeated)
        return folder


def _words(folder: Path) -> list[str]:
    return (folder / "words.txt").read_bytes().decode("utf-8").split("\n")
