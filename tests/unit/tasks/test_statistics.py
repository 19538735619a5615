"""Table 1's numbers, from definitions that are written here once more."""

import math

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.statistics import statistics
from mtl_bench.tasks.types.tagging import Tagging

TRAIN = (
    Example(("the", "old", "man", "the", "boat"), ("d", "n", "v", "d", "n")),
    Example(("a", "man"), ("d", "n")),
)
TEST = (Example(("the", "boat"), ("d", "n")),)
CORPUS = Corpus("t", {"train": TRAIN, "dev": (), "test": TEST}, Tagging())


def of(max_length):
    return statistics(CORPUS, lambda word: word != "boat", max_length)


def test_sizes_and_unknown_words():
    values = of(None)
    assert (values["size"], values["labels"]) == (2, 3)
    assert values["oov_percent"] == pytest.approx(100 / 7)


def test_the_window_is_one_longer_than_the_cut_and_counts_end_symbols_that_fit():
    # Window of 4: the, old, man, the | a, man, end. Types: the old man a end.
    values = of(3)
    assert values["tokens_per_type"] == pytest.approx(7 / 5)
    shares = np.array([3, 2, 1]) / 6  # d n v d | d n
    assert values["label_entropy"] == pytest.approx(-(shares * np.log(shares)).sum())
    assert of(None)["tokens_per_type"] == pytest.approx(9 / 6)


def test_the_norm_is_that_of_scikit_learns_counts():
    matrix = CountVectorizer().fit_transform([" ".join(s.words) for s in TRAIN])
    assert of(None)["frobenius_norm"] == pytest.approx(math.sqrt((matrix.toarray() ** 2).sum()))


def test_the_divergence_is_half_the_sum_of_two_relative_entropies():
    words = sorted({word for s in TRAIN for word in s.words})
    p = np.array([sum(s.words.count(w) for s in TRAIN) for w in words]) / 7
    q = np.array([sum(s.words.count(w) for s in TEST) for w in words]) / 2
    m = (p + q) / 2
    terms = [x[x > 0] * np.log2(x[x > 0] / m[x > 0]) for x in (p, q)]
    assert of(None)["jsd"] == pytest.approx(sum(t.sum() for t in terms) / 2)
