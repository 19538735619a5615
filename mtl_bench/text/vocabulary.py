"""Words as models read them, and their ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example

UNKNOWN, START, END = 0, 1, 2
SPECIAL_WORDS = ("<unknown>", "<s>", "</s>")


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
    # Each different word once: corpora repeat theirs a dozen times.
    normal = {word: normal_word(word, lowercase) for word in set(corpus.words())}
    splits = {
        split: tuple(Example(tuple([normal[word] for word in e.words]), e.target) for e in examples)
        for split, examples in corpus.splits.items()
    }
    return replace(corpus, splits=splits)
