"""The seven features of a task's data (Table 1 and Table 2 of the paper)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from math import sqrt

import numpy as np

from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example

TERM = re.compile(r"(?u)\b\w\w+\b")
"""A term of the Frobenius norm: two or more word characters, scikit-learn's CountVectorizer."""


def statistics(
    corpus: Corpus, has_vector: Callable[[str], bool], max_length: int | None
) -> dict[str, float | None]:
    """Return size, labels, tokens_per_type, oov_percent, label_entropy, frobenius_norm and jsd.

    Tokens per type and label entropy look at the window that the paper's analysis looked at: the
    first `max_length` + 1 words of a sentence, an end symbol counting as one where it fits. The
    classes of a language model are those of its first `max_length` words, which it predicts.

    Args:
        corpus: with its words as a model reads them (lower case).
        has_vector: whether a word has a vector of its own.
        max_length: words kept of a sentence; None keeps all.

    Returns:
        size: training sentences. labels: their number. tokens_per_type: training tokens / types.
        oov_percent: training tokens without a vector, percent. label_entropy: H(y) in nats.
        frobenius_norm: of the sentence by term matrix of counts. jsd: Jensen-Shannon divergence
        (base 2, 0 to 1) between the bags of words of train and test. What the task's type does
        not have is None.
    """
    train = corpus["train"]
    tokens = Counter(corpus.words("train"))
    if max_length is None:
        window, ends = tokens, len(train)
    else:
        head = slice(max_length + 1)
        window = Counter(chain.from_iterable(example.words[head] for example in train))
        ends = sum(len(example.words) <= max_length for example in train)
    without_vector = sum(n for word, n in tokens.items() if not has_vector(word))
    of_type = corpus.type.statistics(train, max_length)
    return {
        "size": len(train),
        "labels": of_type["labels"],
        # The end symbol is one more type, where a sentence ends inside of the window.
        "tokens_per_type": (window.total() + ends) / (len(window) + bool(ends)),
        "oov_percent": 100 * without_vector / tokens.total(),
        "label_entropy": of_type["label_entropy"],
        "frobenius_norm": _frobenius_norm(train),
        "jsd": jensen_shannon_divergence(tokens, Counter(corpus.words("test"))),
    }


def _frobenius_norm(examples: Sequence[Example]) -> float:
    words = {word for example in examples for word in example.words}
    terms = {word: TERM.findall(word.lower()) for word in words}
    square = 0
    for example in examples:
        counts = Counter(chain.from_iterable(terms[word] for word in example.words))
        square += sum(count * count for count in counts.values())
    return sqrt(square)


def jensen_shannon_divergence(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Return the divergence of two bags of words (Lin, 1991), base 2: 0 equal, 1 disjoint.

    >>> jensen_shannon_divergence({"a": 2}, {"a": 5})
    0.0
    >>> jensen_shannon_divergence({"a": 2}, {"b": 5})
    1.0
    """
    from scipy.spatial.distance import jensenshannon  # half a second

    words = sorted(one.keys() | other.keys())
    counts = np.array([[bag.get(word, 0) for word in words] for bag in (one, other)])
    return float(jensenshannon(*counts, base=2) ** 2)  # scipy's is the root: a distance
