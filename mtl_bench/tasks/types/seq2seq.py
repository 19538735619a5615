"""Sequence to sequence: words that a sentence is turned into, such as its compression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.chrf import CHRF

from mtl_bench.errors import UserError
from mtl_bench.tasks.checks.findings import Finding
from mtl_bench.tasks.entropy import entropy
from mtl_bench.tasks.examples import Example, SplitName, Splits
from mtl_bench.tasks.types.base import Metric, TaskType

END, OTHER = "</s>", "<other>"
"""What ends an output, and the class of all words that are not among the most frequent."""


class OutputWords:
    """The classes of outputs: the end, all rarer words, then the most frequent words.

    Words that are rare or not in training have negative ids, so that their texts can be scored.
    """

    def __init__(self, names: Sequence[str], rare: Sequence[str], max_length: int) -> None:
        """Take the words of the classes, the most frequent first, the others, and a length.

        Args:
            names: words that are classes.
            rare: other words that are scored.
            max_length: words at which an output is cut.
        """
        self.names = (END, OTHER, *names)
        self.rare = tuple(rare)
        self.max_length = max_length
        self.end, self.other = 0, 1
        self._ids = {word: number for number, word in enumerate(names, start=2)}
        self._ids |= {word: -number for number, word in enumerate(rare, start=1)}

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.names)

    def encode(self, targets: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """Return [sentences, T] ids, each output behind its words filled up with the end.

        T is one more than the longest output.
        """
        longest = max(map(len, targets), default=0)
        ids = np.full((len(targets), longest + 1), self.end, dtype=np.int64)
        for row, words in zip(ids, targets, strict=True):
            row[: len(words)] = [self._ids[word] for word in words]
        return ids

    def decode(self, ids: Sequence[int]) -> list[str]:
        """Return the words before the end.

        >>> OutputWords(["a", "b"], ["c"], 9).decode([3, -1, 2, 0, 2])
        ['b', 'c', 'a']
        """
        ids = list(ids)
        ids = ids[: ids.index(self.end)] if self.end in ids else ids
        return [self.names[n] if n >= 0 else self.rare[-n - 1] for n in ids]

    def with_words(self, words: Sequence[str]) -> OutputWords:
        """Return the same classes, with further words that are scored."""
        further = sorted(set(words) - self._ids.keys())
        return OutputWords(self.names[2:], (*self.rare, *further), self.max_length)

    def state(self) -> dict[str, Any]:
        """Return the classes."""
        return {"names": list(self.names[2:])}


@dataclass(frozen=True)
class Seq2Seq(TaskType[OutputWords]):
    """Words that a sentence is turned into.

    Attributes:
        vocabulary: most frequent words of the outputs of train that are classes of their own; all
            others are one.
        max_length: words at which an output is cut; the loss looks at no more of the gold ones, and
            scores at all of them.
    """

    name = "seq2seq"
    level = "sentence"
    metrics: ClassVar[Mapping[str, Metric]] = {
        "chrf": Metric("chrF"),
        "exact": Metric("exact matches"),
    }
    vocabulary: int = 7500
    max_length: int = 50

    def __post_init__(self) -> None:
        """Check the options."""
        for option in ("vocabulary", "max_length"):
            value = getattr(self, option)
            if type(value) is not int or value < 1:
                raise ValueError(f"{option} is {value!r}; it is a whole number from 1")

    def validate(self, example: Example) -> None:
        """Check that the target is a list of words."""
        target = example.target
        if isinstance(target, str) or not isinstance(target, Sequence):
            raise ValueError(f"its target is {target!r}; it is a list of words")
        if not target:
            raise ValueError("its target is empty; it has at least one word")
        if not all(isinstance(word, str) and word for word in target):
            raise ValueError(f"its target is {target!r}; it is a list of words")

    def fit(self, splits: Splits) -> OutputWords:
        """Return the words of the outputs of train, and those that only other splits have."""
        names = self._classes(splits["train"])
        examples = chain.from_iterable(splits.values())
        words = [word for example in examples for word in example.target]
        return OutputWords(names, (), self.max_length).with_words(words)

    def _classes(self, train: Sequence[Example]) -> list[str]:
        counts = Counter(chain.from_iterable(example.target for example in train))
        for name in (END, OTHER):  # a word of a text may look like one of them
            counts.pop(name, None)
        # By name where they are as frequent, so that the order of sentences does not matter.
        return sorted(counts, key=lambda word: (-counts[word], word))[: self.vocabulary]

    def restore(self, state: Mapping[str, Any]) -> OutputWords:
        """Return the words that a trained head knows."""
        return OutputWords(state["names"], (), self.max_length)

    def with_examples(self, targets: OutputWords, examples: Sequence[Example]) -> OutputWords:
        """Return the classes, with all words of the examples."""
        words = [word for example in examples for word in example.target]
        if words and set(words).isdisjoint(targets.names[2:]):
            raise UserError(
                "no word of the data's targets is one that the tagger can produce. Is it the right "
                "task, and the right column?"
            )
        return targets.with_words(words)

    def scorer(self, targets: OutputWords) -> OutputScorer:
        """Return a scorer of outputs."""
        return OutputScorer(targets)

    def refuse(self, splits: Splits, split: SplitName) -> None:
        """Check that the outputs of a split have a word of train's."""
        words = set(chain.from_iterable(example.target for example in splits["train"]))
        if words.isdisjoint(chain.from_iterable(example.target for example in splits[split])):
            raise UserError(
                f"the targets of its train and {split} splits have no word in common. Check the "
                "columns, and whether the files belong together."
            )

    def check(self, splits: Splits) -> Iterator[Finding]:
        """Yield how long outputs are, and how many of their words are classes."""
        train = splits["train"]
        lengths = sorted(len(example.target) for example in train)
        yield Finding(
            "ok",
            f"Outputs of {lengths[0]} to {lengths[-1]} words, half of them with at most "
            f"{lengths[len(lengths) // 2]}.",
        )
        long = sum(length > self.max_length for length in lengths)
        if long:
            yield Finding(
                "warning",
                f"{long:,} outputs of train have more than {self.max_length} words, of which only "
                "so many can be produced. "
                "Set `type: {name: seq2seq, max_length: ...}`.",
            )
        same = sum(tuple(example.words) == tuple(example.target) for example in train)
        if same == len(train):
            yield Finding("error", "Every output is its sentence. Is it the right column?")

    def remarks(self, splits: Splits, split: SplitName) -> Iterator[str]:
        """Yield how many words of outputs cannot be produced."""
        classes = set(self._classes(splits["train"]))
        words = list(chain.from_iterable(example.target for example in splits[split]))
        others = sum(word not in classes for word in words)
        if others:
            yield f"words of outputs that cannot be produced: {others:,} of {len(words):,}"

    def statistics(
        self,
        train: Sequence[Example],
        max_length: int | None,  # noqa: ARG002 (of the input)
    ) -> dict[str, float | None]:
        """Return the number of classes, and the entropy of the outputs' words in nats."""
        classes = set(self._classes(train))
        counts = Counter(
            word if word in classes else OTHER for example in train for word in example.target
        )
        return {
            "labels": len(classes) + 2,
            "label_entropy": entropy(list(counts.values())),
        }

    def texts(self, target: Any) -> Sequence[str]:
        """Return the words."""
        words: Sequence[str] = target
        return words


class OutputScorer:
    """chrF (Popovic, 2015) over all outputs, by sacrebleu, and the share that is exactly right."""

    def __init__(self, targets: OutputWords) -> None:
        """Take the words."""
        self.targets = targets
        self.outputs: list[str] = []
        self.gold: list[str] = []
        self.exact = 0

    def update(
        self,
        predictions: NDArray[np.int64],
        gold: NDArray[np.int64],
        lengths: NDArray[np.int64],  # noqa: ARG002 (of the input)
    ) -> None:
        """Keep [sentences, T] ids of outputs and gold outputs; the two T may differ."""
        other = self.targets.other  # no text: its name would share characters with words
        for said, row in zip(predictions.tolist(), gold.tolist(), strict=True):
            output = " ".join(self.targets.decode([n for n in said if n != other]))
            right = " ".join(self.targets.decode(row))
            self.outputs.append(output)
            self.gold.append(right)
            self.exact += output == right and other not in said

    def compute(self) -> dict[str, float]:
        """Return chrf, of characters up to six in a row, and exact; 0 to 1."""
        if not self.gold:
            return {"chrf": 0.0, "exact": 0.0}
        score = CHRF().corpus_score(self.outputs, [self.gold]).score / 100
        return {"chrf": float(score), "exact": self.exact / len(self.gold)}
