"""Ids of words and labels, and sentences as flat arrays of ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtl_bench.tasks.corpus import Corpus, Sentence

Ints = NDArray[np.int64]

UNKNOWN, START, END = 0, 1, 2
SPECIAL_WORDS = ("<unknown>", "<s>", "</s>")
BOUNDARY_LABELS = ("<s>", "</s>")


class Vocabulary:
    """The words with a vector of their own; all others share the unknown word's.

    >>> vocabulary = Vocabulary(["the", "cat"])
    >>> vocabulary.words[3:], vocabulary.ids(["the", "dog"])
    (('cat', 'the'), [4, 0])
    """

    def __init__(self, words: Iterable[str]) -> None:
        """Number the words by their sorted order, so that no other order can matter."""
        self.words = (*SPECIAL_WORDS, *sorted(set(words) - set(SPECIAL_WORDS)))
        self._ids = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        """Return the number of rows, those of the special words included."""
        return len(self.words)

    def ids(self, words: Iterable[str]) -> list[int]:
        """Return the ids of words."""
        return [self._ids.get(word, UNKNOWN) for word in words]


class Labels:
    """The classes of one task: the labels of its training split, then the boundary labels.

    Gold labels that training lacks have negative ids, which no prediction can equal. They count
    from the end of `all_names`, so that a table over those is indexed by any id.

    >>> labels = Labels(["B-x", "O"], unseen=["I-x"])
    >>> labels.ids(["O", "I-x"]), labels.all_names[-1]
    ([1, -1], 'I-x')
    """

    def __init__(self, names: Sequence[str], unseen: Sequence[str] = ()) -> None:
        """Number the labels in the order given.

        Args:
            names: labels of the training split.
            unseen: labels that only evaluated splits have.
        """
        self.names = (*names, *BOUNDARY_LABELS)
        self.unseen = tuple(unseen)
        self.start, self.end = len(names), len(names) + 1
        self._ids = {name: number for number, name in enumerate(names)}
        self._ids |= {name: -number for number, name in enumerate(self.unseen, start=1)}

    def __len__(self) -> int:
        """Return the number of classes, the two boundary labels included."""
        return len(self.names)

    @property
    def all_names(self) -> tuple[str, ...]:
        """The classes, then the unseen labels, the first of them last."""
        return (*self.names, *self.unseen[::-1])

    def ids(self, labels: Iterable[str]) -> list[int]:
        """Return the ids of labels, negative where training has none.

        Raises:
            KeyError: a label is neither a class nor named as unseen.
        """
        return [self._ids[label] for label in labels]


@dataclass(frozen=True)
class EncodedSplit:
    """Sentences as ids, start and end symbols included.

    Attributes:
        words: [sum of lengths] word ids, sentence after sentence.
        labels: [sum of lengths] label ids.
        starts: [sentences] position of each sentence's first symbol.
        lengths: [sentences] steps of each sentence, symbols included.
    """

    words: Ints
    labels: Ints
    starts: Ints
    lengths: Ints

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.lengths)


def encode(
    sentences: Sequence[Sentence],
    vocabulary: Vocabulary,
    labels: Labels,
    max_length: int | None = None,
) -> EncodedSplit:
    """Turn sentences into ids.

    Args:
        sentences: of one split.
        vocabulary: of the run.
        labels: of the task.
        max_length: words kept of each sentence; None keeps all.
    """
    words: list[int] = []
    tags: list[int] = []
    lengths: list[int] = []
    for sentence in sentences:
        kept = slice(max_length)
        words += (START, *vocabulary.ids(sentence.words[kept]), END)
        tags += (labels.start, *labels.ids(sentence.labels[kept]), labels.end)
        lengths.append(len(sentence.words[kept]) + 2)
    sizes = np.array(lengths, dtype=np.int64)
    return EncodedSplit(
        np.array(words, dtype=np.int64),
        np.array(tags, dtype=np.int64),
        np.cumsum(sizes) - sizes,
        sizes,
    )


def normal_word(word: str, lowercase: bool) -> str:
    """Return a word as the models read it: blanks inside become `_`, letters lower case.

    Both are the paper's released code's rules.

    >>> normal_word("New York", lowercase=True)
    'new_york'
    """
    word = "_".join(word.split())
    return word.lower() if lowercase else word


def normalise(corpus: Corpus, lowercase: bool) -> Corpus:
    """Return the corpus with every word as the models read it."""
    normal = {word: normal_word(word, lowercase) for word in set(corpus.words())}
    return Corpus(
        corpus.task,
        {
            split: tuple(
                Sentence(tuple([normal[word] for word in s.words]), s.labels) for s in sentences
            )
            for split, sentences in corpus.splits.items()
        },
        corpus.outside,
        corpus.spans,
    )
