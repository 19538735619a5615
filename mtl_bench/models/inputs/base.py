"""What an input has to do; `words.py` is the one to look at beside it.

Shapes as in `batches.py`: B sentences, N steps of all, U different words, D numbers a vector.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

from torch import Tensor, nn

from mtl_bench.models.inputs.batches import Batch, EncodedSplit, Ints
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.statistics import statistics
from mtl_bench.text.embeddings import Embeddings

E = TypeVar("E", bound=Embeddings)
"""What the yaml of an input's embeddings makes."""


class Input(nn.Module, ABC, Generic[E]):
    """Turns raw words into batches, and batches into the vectors that an encoder reads.

    It owns whatever lies between: normalisation, tokens and their ids, the weights of the vectors.
    An `Embeddings` object names the class of its input, so that a yaml of `conf/embeddings` chooses
    both.

    Attributes:
        sees_neighbours: whether the vector of a word depends on the words around it.
        size: D.
        facts: about the vectors, for the record.
    """

    sees_neighbours: ClassVar[bool] = False
    size: int
    facts: dict[str, int | str]

    @classmethod
    @abstractmethod
    def build(
        cls, embeddings: E, corpora: Mapping[str, Corpus], lowercase: bool, seed: int
    ) -> Self:
        """Return the input of a run.

        Args:
            embeddings: where its vectors come from.
            corpora: of all tasks, words as the files have them.
            lowercase: read words in lower case.
            seed: of what is drawn at random.
        """

    @abstractmethod
    def encode(
        self, sentences: Sequence[Sequence[str]], max_length: int | None = None
    ) -> EncodedSplit:
        """Return sentences as numbers, without targets.

        Args:
            sentences: of raw words.
            max_length: words kept of each; None keeps all.
        """

    @abstractmethod
    def collate(self, task: str, split: EncodedSplit, chosen: Ints) -> Batch:
        """Return the chosen [B] sentences of a split as a batch."""

    @abstractmethod
    def forward(self, batch: Batch, sparse: bool) -> Tensor:
        """Return [U, D] the vectors of a batch's different words.

        Args:
            batch: the sentences.
            sparse: whether gradients of large tables may be sparse, for the optimiser takes them.
        """

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what `restore` needs beside the weights, as plain values."""

    @classmethod
    @abstractmethod
    def restore(cls, description: Mapping[str, Any]) -> Self:
        """Return an input as it was described; its weights are loaded afterwards."""

    def statistics(
        self, corpus: Corpus, embeddings: E, max_length: int | None
    ) -> dict[str, float | None]:
        """Return Table 1's numbers of a corpus, with its words as this input reads them.

        Here that is as they are.
        """
        return statistics(corpus, embeddings.with_vector(corpus.words("train")), max_length)

    def remarks(
        self,
        corpora: Mapping[str, Corpus],  # noqa: ARG002
        embeddings: E,  # noqa: ARG002
    ) -> Iterator[str]:
        """Yield what a person should know of the vectors of a run's words, a line each."""
        yield from ()
