"""Start values of word vectors; here those drawn at random, in `pretrained.py` those of a file.

Words without a vector of their own share one unknown-word vector. It and the two boundary symbols
start as the mean of all vectors. (A function of the paper's released code does so and is never
called: its file of vectors held these symbols.)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import numpy as np

from mtl_bench.text.vector_files import Vectors
from mtl_bench.text.vocabulary import SPECIAL_WORDS, Vocabulary

WordTest = Callable[[str], bool]

WORD_INPUT = "mtl_bench.models.inputs.words.WordInput"


class Embeddings(Protocol):
    """What words become for a model, and from which files.

    Attributes:
        input: dotted path of the model input that is made of them, as text: no torch here.
        gives: what an encoder reads of it: `vectors`, or `sub-words`.
        quick: whether a few steps take a moment, so that a trial can tell how long a sweep takes.
    """

    input: str
    gives: str
    quick: bool

    def is_here(self) -> bool:
        """Return whether nothing need be downloaded."""

    def checksum(self) -> str | None:
        """Return the sha256 of the file or files, or None if there is none."""

    def with_vector(self, train: Iterable[str]) -> WordTest:
        """Return a test for words that have a vector of their own.

        Args:
            train: every word of the run's training splits, repeats included.
        """


class WordVectors(Embeddings, Protocol):
    """One vector a word.

    Attributes:
        dim: numbers of a vector.
    """

    dim: int

    def table(self, vocabulary: Vocabulary, seed: int) -> tuple[Vectors, dict[str, int | str]]:
        """Return [V, dim] start values, and facts about them for the record."""

    def remarks(self, words: Collection[str]) -> list[str]:
        """Return what a person should know of the vectors of a run's different words."""


class RandomVectors:
    """Vectors drawn from a normal distribution: no word is known before training.

    Words of the training splits have a vector of their own if they occur often enough. The rare
    ones train the unknown-word vector, which stands for words first met in evaluation. Where
    `max_length` cuts training sentences, words that stand behind it alone keep what was drawn.
    """

    input, gives, quick = WORD_INPUT, "vectors", True

    def __init__(self, dim: int, min_count: int, std: float) -> None:
        """Take the length of a vector, the occurrences that earn one, and the deviation."""
        check_whole("dim", dim)
        check_whole("min_count", min_count)
        if isinstance(std, bool) or not isinstance(std, int | float) or not 0 <= std < math.inf:
            raise ValueError(f"std is {std!r}; it is a number from 0.")
        self.dim = dim
        self.min_count = min_count
        self.std = std

    def is_here(self) -> bool:
        """Return True: there is no file."""
        return True

    def checksum(self) -> None:
        """Return None: there is no file."""

    def with_vector(self, train: Iterable[str]) -> WordTest:
        """Return a test for words that occur `min_count` times in the training splits."""
        counts = Counter(train)
        return lambda word: counts[word] >= self.min_count

    def table(self, vocabulary: Vocabulary, seed: int) -> tuple[Vectors, dict[str, int | str]]:
        """Return the vectors drawn; the special words start at zero, the mean."""
        draw = np.random.default_rng(seed)
        table = (self.std * draw.standard_normal((len(vocabulary), self.dim))).astype(np.float32)
        table[: len(SPECIAL_WORDS)] = 0
        return table, {"rows": len(vocabulary)}

    def remarks(self, words: Collection[str]) -> list[str]:  # noqa: ARG002
        """Return nothing: there is no file."""
        return []


def check_text(name: str, value: object) -> None:
    """Raise an error if a value is neither a text nor None."""
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise ValueError(f"{name} is {value!r}; it is a text, or null.")


def check_whole(name: str, value: object) -> None:
    """Raise an error if a value is not a whole number from 1."""
    if type(value) is not int or value < 1:
        raise ValueError(f"{name} is {value!r}; it is a whole number from 1.")
