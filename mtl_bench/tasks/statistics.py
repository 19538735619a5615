"""The seven features of a task's data (Table 1 and Table 2 of the paper)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from math import log, log2, sqrt

from mtl_bench.tasks.corpus import Corpus, Sentence

TERM = re.compile(r"(?u)\b\w\w+\b")
"""A term of the Frobenius norm: two or more word characters, scikit-learn's CountVectorizer."""


def statistics(
    corpus: Corpus, known: Callable[[str], bool], max_length: int | None
) -> dict[str, float | None]:
    """Return size, labels, tokens_per_type, oov_percent, label_entropy, frobenius_norm and jsd.

    Tokens per type and label entropy look at the window that the paper's analysis looked at: the
    first `max_length` + 1 words of a sentence, an end symbol counting as one where it fits.

    Args:
        corpus: as the models read it (lower case).
        known: whether a word has a vector of its own.
        max_length: words kept of a sentence; None keeps all.

    Returns:
        size: training sentences. labels: their number. tokens_per_type: training tokens / types.
        oov_percent: training tokens without a vector, percent. label_entropy: H(y) in nats.
        frobenius_norm: of the sentence by term matrix of counts. jsd: Jensen-Shannon divergence
        (base 2, 0 to 1) between the bags of words of train and test.
    """
    train = corpus["train"]
    tokens = Counter(chain.from_iterable(sentence.words for sentence in train))
    if max_length is None:
        window, ends = tokens, len(train)
        labels = Counter(chain.from_iterable(sentence.labels for sentence in train))
    else:
        seen = slice(max_length + 1)
        window = Counter(chain.from_iterable(sentence.words[seen] for sentence in train))
        ends = sum(len(sentence.words) <= max_length for sentence in train)
        labels = Counter(chain.from_iterable(sentence.labels[seen] for sentence in train))
    return {
        "size": len(train),
        "labels": len(corpus.labels()),
        "tokens_per_type": (window.total() + ends) / (len(window) + bool(ends)),
        "oov_percent": 100 * sum(n for w, n in tokens.items() if not known(w)) / tokens.total(),
        "label_entropy": _entropy(labels),
        "frobenius_norm": _frobenius_norm(train),
        "jsd": jensen_shannon_divergence(
            tokens, Counter(chain.from_iterable(sentence.words for sentence in corpus["test"]))
        ),
    }


def _entropy(counts: Mapping[str, int]) -> float:
    total = sum(counts.values())
    return sum(n / total * log(total / n) for n in counts.values())


def _frobenius_norm(sentences: Sequence[Sentence]) -> float:
    words = {word for sentence in sentences for word in sentence.words}
    terms = {word: TERM.findall(word.lower()) for word in words}
    square = 0
    for sentence in sentences:
        counts = Counter(chain.from_iterable(terms[word] for word in sentence.words))
        square += sum(count * count for count in counts.values())
    return sqrt(square)


def jensen_shannon_divergence(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Return the divergence of two bags of words (Lin, 1991), base 2: 0 equal, 1 disjoint.

    >>> jensen_shannon_divergence({"a": 2}, {"a": 5})
    0.0
    >>> jensen_shannon_divergence({"a": 2}, {"b": 5})
    1.0
    """
    totals = sum(one.values()), sum(other.values())
    divergence = 0.0
    for word in sorted(one.keys() | other.keys()):
        p, q = one.get(word, 0) / totals[0], other.get(word, 0) / totals[1]
        middle = (p + q) / 2
        divergence += sum(x * log2(x / middle) / 2 for x in (p, q) if x)
    return divergence
