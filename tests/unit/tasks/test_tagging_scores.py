"""Metrics against their definitions, and span F1 against seqeval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score

from mtl_bench.tasks.types.labels import Labels
from mtl_bench.tasks.types.spans import SCHEMES, SpanScheme
from mtl_bench.tasks.types.tagging import Tagging
from mtl_bench.tasks.types.tagging_scores import SpanScores, TokenScores

BIO = ["B-x", "B-y", "I-x", "I-y", "O"]
SCHEME = SpanScheme("bio")
TAG = st.sampled_from(BIO)
PAIRS = st.lists(st.lists(st.tuples(TAG, TAG), min_size=1, max_size=9), min_size=1, max_size=6)


def tensors(pairs, names):
    flat = [pair for sentence in pairs for pair in sentence]
    gold = np.array([names.index(g) for g, _ in flat])
    predicted = np.array([names.index(p) for _, p in flat])
    return predicted, gold, np.array([len(sentence) for sentence in pairs])


def written(letter, kind, scheme):
    """A label of a scheme: `B`, `x` -> `B-x`, or `x_B`."""
    if letter == "O":
        return "O"
    parts = (kind, letter) if scheme.suffix else (letter, kind)
    return scheme.separator.join(parts)


@st.composite
def tagged(draw):
    """A scheme, the labels of train, and sentences of (gold, predicted); gold has other labels."""
    name = draw(st.sampled_from(sorted(SCHEMES)))
    scheme = SpanScheme(name, draw(st.sampled_from("-_")), draw(st.booleans()))
    every = ["O", *(written(x, kind, scheme) for x in SCHEMES[name] for kind in ("P", "Q-1", "R"))]
    train = draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
    pair = st.tuples(st.sampled_from(every), st.sampled_from(train))
    sentences = st.lists(st.lists(pair, min_size=1, max_size=9), min_size=1, max_size=6)
    return scheme, sorted(train), sorted(set(every) - set(train)), draw(sentences)


def for_seqeval(label, scheme):
    """A label as seqeval knows it: letters B, I, E, S before a dash and the type."""
    letter, kind = scheme.parse(label)
    return "O" if letter == "O" else f"{letter}-{kind}"


@pytest.mark.filterwarnings("ignore")  # seqeval warns where a score is undefined
@given(tagged())
def test_span_scores_equal_seqevals_with_labels_that_train_lacks(case):
    scheme, train, unseen, pairs = case
    labels = Labels(train, unseen)
    flat = [pair for sentence in pairs for pair in sentence]
    gold = np.array(labels.ids(g for g, _ in flat))
    predicted = np.array(labels.ids(p for _, p in flat))
    metric = SpanScores(labels, scheme)
    metric.update(predicted, gold, np.array([len(sentence) for sentence in pairs]))
    expected = [
        [[for_seqeval(pair[side], scheme) for pair in sentence] for sentence in pairs]
        for side in (0, 1)
    ]
    values = metric.compute()
    assert float(values["span_f1"]) == pytest.approx(f1_score(*expected))
    assert float(values["span_precision"]) == pytest.approx(precision_score(*expected))
    assert float(values["span_recall"]) == pytest.approx(recall_score(*expected))


def test_letters_may_be_small_and_types_missing():
    bare = SpanScores(Labels(["b", "i", "o"]), SCHEME)
    bare.update(np.array([0, 1, 2, 1]), np.array([0, 1, 2, 0]), np.array([4]))
    assert float(bare.compute()["span_f1"]) == 1.0  # a lone i begins a span


def test_spans_with_labels_that_train_lacks():
    # un zed/B-PER dit rome/B-LOC ici/I-LOC; ici dit/B-GPE un zed/B-PER: train lacks I-LOC, B-GPE
    scores = Tagging("O", "bio").scorer(Labels(["B-LOC", "B-PER", "O"], ["B-GPE", "I-LOC"]))
    gold = np.array([2, 1, 2, 0, -2, 2, -1, 2, 1])
    predicted = np.array([2, 1, 2, 0, 2, 2, 2, 2, 1])
    scores.update(predicted, gold, np.array([5, 4]))
    values = scores.compute()
    assert values["span_precision"] == pytest.approx(2 / 3)
    assert values["span_recall"] == pytest.approx(1 / 2)
    assert values["span_f1"] == pytest.approx(4 / 7)
    assert values["unseen_labels"] == 2


@given(PAIRS, st.integers(0, 5))
def test_scores_add_up_over_batches(pairs, cut):
    for make in (lambda: TokenScores(4), lambda: SpanScores(Labels(BIO), SCHEME)):
        whole, parts = make(), make()
        whole.update(*tensors(pairs, BIO))
        for part in (pairs[:cut], pairs[cut:]):
            if part:
                parts.update(*tensors(part, BIO))
        assert whole.compute() == parts.compute()


@given(PAIRS)
def test_micro_f1_leaves_the_outside_label_out(pairs):
    metric = TokenScores(BIO.index("O"))
    metric.update(*tensors(pairs, BIO))
    flat = [pair for sentence in pairs for pair in sentence]
    hits = sum(g == p != "O" for g, p in flat)
    gold, predicted = sum(g != "O" for g, _ in flat), sum(p != "O" for _, p in flat)
    expected = 2 * hits / (gold + predicted) if gold + predicted else 0
    values = metric.compute()
    assert float(values["f1"]) == pytest.approx(expected)
    assert float(values["accuracy"]) == pytest.approx(sum(g == p for g, p in flat) / len(flat))


def test_without_an_outside_label_f1_is_accuracy():
    metric = TokenScores(None)
    metric.update(np.array([0, 1, 2]), np.array([0, 1, 1]), np.array([3]))
    assert (
        float(metric.compute()["f1"]) == float(metric.compute()["accuracy"]) == pytest.approx(2 / 3)
    )


def test_labels_unseen_in_training_are_misses_and_counted():
    metric = TokenScores(1)
    metric.update(np.array([0, 0, 1]), np.array([0, -1, -1]), np.array([3]))
    values = metric.compute()
    assert int(values["unseen_labels"]) == 2
    assert float(values["recall"]) == pytest.approx(1 / 3)


def test_every_metric_of_the_type_is_computed_and_f1_is_the_primary_one():
    for kind in (Tagging(), Tagging("O"), Tagging("O", "bio")):
        values = kind.scorer(Labels(BIO)).compute()
        assert next(iter(kind.metrics)) == "f1"
        assert set(values) - set(kind.metrics) == {"unseen_labels"}
        assert all(metric.higher_is_better for metric in kind.metrics.values())
