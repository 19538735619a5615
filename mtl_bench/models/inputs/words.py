"""One vector a word: a table of the words that have one, trained further (the paper's input)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.batches import Batch, EncodedSplit, Ints, collate
from mtl_bench.models.inputs.sparse_rows import Lookup
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.statistics import statistics
from mtl_bench.text.embeddings import WordVectors
from mtl_bench.text.vocabulary import END, START, Vocabulary, normal_word, normalise


class WordInput(Input[WordVectors]):
    """Start symbol, words and end symbol, each by its row of a table.

    Words are normalised; those without a row of their own share that of the unknown word.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        vectors: Tensor,
        lowercase: bool,
        facts: dict[str, int | str] | None = None,
    ) -> None:
        """Take the words, the start values [V, D] of their vectors, and whether case is kept."""
        super().__init__()
        self.vocabulary = vocabulary
        self.lowercase = lowercase
        self.facts = facts or {}
        self.size = vectors.shape[1]
        self.table = nn.Parameter(vectors.clone())

    @classmethod
    def build(
        cls, embeddings: WordVectors, corpora: Mapping[str, Corpus], lowercase: bool, seed: int
    ) -> Self:
        """Number the words of all splits that have a vector."""
        has_vector = embeddings.with_vector(
            normal for corpus in corpora.values() for normal in _normal(corpus, lowercase, "train")
        )
        words = {normal_word(word, lowercase) for c in corpora.values() for word in set(c.words())}
        vocabulary = Vocabulary(word for word in words if has_vector(word))
        table, facts = embeddings.table(vocabulary, seed)
        return cls(vocabulary, torch.from_numpy(table), lowercase, facts)

    def encode(
        self, sentences: Sequence[Sequence[str]], max_length: int | None = None
    ) -> EncodedSplit:
        """Return the ids of sentences, cut behind `max_length` words, between two symbols."""
        # Each different word is normalised once: corpora repeat theirs a dozen times.
        different = list({word for sentence in sentences for word in sentence})
        normal = (normal_word(word, self.lowercase) for word in different)
        id_of = dict(zip(different, self.vocabulary.ids(normal), strict=True))
        window = slice(max_length)
        ids: list[int] = []
        for sentence in sentences:
            ids += (START, *[id_of[word] for word in sentence[window]], END)
        lengths = [len(sentence[window]) + 2 for sentence in sentences]
        return EncodedSplit.of(ids, lengths)

    def collate(self, task: str, split: EncodedSplit, chosen: Ints) -> Batch:
        """Return the chosen [B] sentences of a split as a batch."""
        return collate(task, split, chosen)

    def forward(self, batch: Batch, sparse: bool) -> Tensor:
        """Return [U, D] the rows of a batch's different words."""
        vectors: Tensor = Lookup.apply(  # type: ignore[no-untyped-call]  # torch does not type it
            self.table, batch.rows, sparse
        )
        return vectors

    def describe(self) -> dict[str, Any]:
        """Return the words, the length of a vector, and whether case is kept."""
        own = self.vocabulary.words
        return {"words": list(own), "dim": self.size, "lowercase": self.lowercase}

    @classmethod
    def restore(cls, description: Mapping[str, Any]) -> Self:
        """Return the input with a table of zeros."""
        vocabulary = Vocabulary(description["words"])
        zeros = torch.zeros(len(vocabulary), description["dim"])
        return cls(vocabulary, zeros, description["lowercase"])

    def statistics(
        self, corpus: Corpus, embeddings: WordVectors, max_length: int | None
    ) -> dict[str, float | None]:
        """Return Table 1's numbers of a corpus, with its words as this input reads them."""
        normal = normalise(corpus, self.lowercase)
        return statistics(normal, embeddings.with_vector(normal.words("train")), max_length)

    def remarks(self, corpora: Mapping[str, Corpus], embeddings: WordVectors) -> Iterator[str]:
        """Yield how many words have a vector of their own, and what the vectors' source says."""
        counts = Counter(
            normal for corpus in corpora.values() for normal in _normal(corpus, self.lowercase)
        )
        own = set(self.vocabulary.words)
        with_vector = sum(word in own for word in counts)
        without = sum(n for word, n in counts.items() if word not in own) / counts.total()
        yield (
            f"vectors: {with_vector:,} of {len(counts):,} different words have one ({without:.1%} "
            "of all occurrences have none)"
        )
        yield from embeddings.remarks(counts)


def _normal(corpus: Corpus, lowercase: bool, *splits: Any) -> Iterator[str]:
    """Yield the words of some splits as the input reads them, repeats included."""
    normal: dict[str, str] = {}
    for word in corpus.words(*splits):
        if word not in normal:
            normal[word] = normal_word(word, lowercase)
        yield normal[word]
