"""A language model: each word from those before it, and from those behind it (Rei, 2017).

The targets are the words themselves, so that any corpus serves, whatever it labels.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtl_bench.tasks.checks.findings import Finding
from mtl_bench.tasks.entropy import entropy
from mtl_bench.tasks.examples import Example, SplitName, Splits
from mtl_bench.tasks.types.base import Metric, TaskType

OTHER, START, END = "<other>", "<s>", "</s>"
"""The class of all words that are not among the most frequent, and the boundary symbols."""


class FrequentWords:
    """The classes of a language model, the most frequent first, as an adaptive softmax wants them.

    Words are compared in lower case.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """Take the classes, OTHER, START and END among them, the most frequent first."""
        self.names = tuple(names)
        ids = {name: number for number, name in enumerate(names)}
        # Taken out: a word of a text may look like one of them.
        self.other, self.start, self.end = (ids.pop(name) for name in (OTHER, START, END))
        self._ids = ids

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]], size: int) -> FrequentWords:
        """Return the classes of some sentences: the `size` most frequent words, and all others."""
        counts = Counter(word.lower() for words in sentences for word in words)
        for name in (OTHER, START, END):
            counts.pop(name, None)
        # By name where they are as frequent, so that the order of sentences does not matter.
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        classes = dict(ordered[:size])
        classes[OTHER] = sum(count for _, count in ordered[size:])
        classes[START] = classes[END] = len(sentences)
        return cls(sorted(classes, key=lambda name: -classes[name]))

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.names)

    def encode(self, targets: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """Return the ids of some sentences' words, each between its boundary symbols."""
        ids: list[int] = []
        for words in targets:
            ids += (self.start, *(self._ids.get(w.lower(), self.other) for w in words), self.end)
        return np.array(ids, dtype=np.int64)

    def state(self) -> dict[str, Any]:
        """Return the classes."""
        return {"names": list(self.names)}


@dataclass(frozen=True)
class LanguageModel(TaskType[FrequentWords]):
    """Predicts words from their neighbours on either side.

    Attributes:
        masked_head: for an encoder that is fine-tuned, which sees whole sentences.
        vocabulary: most frequent words of train that are classes of their own; all others are one.
    """

    name = "language_model"
    level = "word"
    metrics: ClassVar[Mapping[str, Metric]] = {
        "perplexity": Metric("perplexity", higher_is_better=False, is_share=False)
    }
    masked_head: ClassVar[str] = (
        "mtl_bench.models.heads.masked_language_model.MaskedLanguageModelHead"
    )
    vocabulary: int = 7500

    def __post_init__(self) -> None:
        """Check the options."""
        if type(self.vocabulary) is not int or self.vocabulary < 1:
            raise ValueError(f"vocabulary is {self.vocabulary!r}; it is a whole number from 1")

    def example(self, example: Example) -> Example:
        """Return the example with its words as target."""
        return Example(example.words, example.words)

    def validate(self, example: Example) -> None:
        """Accept every sentence."""

    def fit(self, splits: Splits) -> FrequentWords:
        """Return the most frequent words of train."""
        return FrequentWords.of([example.words for example in splits["train"]], self.vocabulary)

    def restore(self, state: Mapping[str, Any]) -> FrequentWords:
        """Return the words that a trained head knows."""
        return FrequentWords(state["names"])

    def scorer(self, targets: FrequentWords) -> PerplexityScorer:  # noqa: ARG002
        """Return a scorer of perplexity."""
        return PerplexityScorer()

    def check(self, splits: Splits) -> Iterator[Finding]:
        """Yield how many words are classes of their own."""
        words = self.fit(splits)
        sentences = [example.words for example in splits["train"]]
        ids = words.encode(sentences)
        share = float((ids == words.other).sum()) / max(len(ids) - 2 * len(sentences), 1)
        yield Finding(
            "ok", f"{len(words) - 3:,} words are classes; {share:.1%} of train are of the others."
        )

    def remarks(self, splits: Splits, split: SplitName) -> Iterator[str]:
        """Yield how many words of a split are predicted as one class."""
        words = self.fit(splits)
        sentences = [example.words for example in splits[split]]
        ids = words.encode(sentences)
        count = len(ids) - 2 * len(sentences)
        others = int((ids == words.other).sum())
        if others:
            yield f"words predicted as one class, since they are rarer: {others:,} of {count:,}"

    def statistics(
        self, train: Sequence[Example], max_length: int | None
    ) -> dict[str, float | None]:
        """Return the number of classes, and the entropy of words in nats."""
        words = FrequentWords.of([example.words for example in train], self.vocabulary)
        window = slice(max_length)
        ids = words.encode([example.words[window] for example in train])
        counts = np.bincount(ids[(ids != words.start) & (ids != words.end)])
        return {"labels": len(words) - 2, "label_entropy": entropy(counts)}

    def texts(self, target: Any) -> Sequence[str]:
        """Return the words."""
        words: Sequence[str] = target
        return words


class PerplexityScorer:
    """exp of the mean negative log-likelihood of words, over both directions."""

    def __init__(self) -> None:
        """Have counted nothing."""
        self.nats, self.words = 0.0, 0

    def update(
        self,
        predictions: NDArray[Any],
        gold: NDArray[Any],  # noqa: ARG002 (likelihoods are of the gold words)
        lengths: NDArray[Any],  # noqa: ARG002
    ) -> None:
        """Add some words.

        Args:
            predictions: [words] negative log-likelihood of each, in nats, mean of both directions.
            gold: ids of the words.
            lengths: of the sentences.
        """
        self.nats += float(predictions.sum())
        self.words += len(predictions)

    def compute(self) -> dict[str, float]:
        """Return the perplexity; that of nothing is 1."""
        return {"perplexity": math.exp(min(self.nats / max(self.words, 1), 700.0))}
