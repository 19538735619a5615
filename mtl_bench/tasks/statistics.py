"""The seven features of a task's data (Table 1 and Table 2 of the paper)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
    tokens = [word for sentence in train for word in sentence.words]
    if max_length is None:
        window, ends = tokens, len(train)
        labels = Counter(label for sentence in train for label in sentence.labels)
    else:
        seen = slice(max_length + 1)
        window = [word for sentence in train for word in sentence.words[seen]]
        ends = sum(len(sentence.words) <= max_length for sentence in train)
        labels = Counter(label for sentence in train for label in sentence.labels[seen])
    return {
        "size": len(train),
        "labels": len(corpus.labels()),
        "tokens_per_type": (len(window) + ends) / (len(set(window)) + bool(ends)),
        "oov_percent": 100 * sum(not known(word) for word in tokens) / len(tokens),
        "label_entropy": _entropy(labels),
        "frobenius_norm": _frobenius_norm(train),
        "jsd": jensen_shannon_divergence(
            Counter(tokens), Counter(word for s in corpus["test"] for word in s.words)
        ),
    }


def _entropy(counts: Mapping[str, int]) -> float:
    total = sum(counts.values())
    return sum(n / total * log(total / n) for n in counts.values())


def _frobenius_norm(sentences: Sequence[Sentence]) -> float:
    square = 0
    for sentence in sentences:
        terms = Counter(TERM.findall(" ".join(sentence.words).lower()))
        square += sum(count * count for count in terms.values())
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
