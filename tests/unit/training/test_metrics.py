"""Metrics against their definitions, and span F1 against seqeval."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score

from mtl_bench.text.vocabulary import Labels
from mtl_bench.training.metrics import MeanLoss, SpanScores, TokenScores

BIO = ["B-x", "B-y", "I-x", "I-y", "O"]
TAG = st.sampled_from(BIO)
PAIRS = st.lists(st.lists(st.tuples(TAG, TAG), min_size=1, max_size=9), min_size=1, max_size=6)


def tensors(pairs, names):
    flat = [pair for sentence in pairs for pair in sentence]
    gold = torch.tensor([names.index(g) for g, _ in flat])
    predicted = torch.tensor([names.index(p) for _, p in flat])
    return predicted, gold, torch.tensor([len(sentence) for sentence in pairs])


@pytest.mark.filterwarnings("ignore")  # seqeval warns where a score is undefined
@given(PAIRS)
def test_span_scores_equal_seqevals(pairs):
    metric = SpanScores(Labels(BIO))
    metric.update(*tensors(pairs, BIO))
    gold = [[g for g, _ in sentence] for sentence in pairs]
    predicted = [[p for _, p in sentence] for sentence in pairs]
    found = metric.compute()
    assert float(found["span_f1"]) == pytest.approx(f1_score(gold, predicted))
    assert float(found["span_precision"]) == pytest.approx(precision_score(gold, predicted))
    assert float(found["span_recall"]) == pytest.approx(recall_score(gold, predicted))


@given(PAIRS)
def test_letters_may_be_small_and_types_missing(pairs):
    big, small = SpanScores(Labels(BIO)), SpanScores(Labels([tag.lower() for tag in BIO]))
    for metric in (big, small):
        metric.update(*tensors(pairs, BIO))
    assert big.compute() == small.compute()
    bare = SpanScores(Labels(["b", "i", "o"]))
    bare.update(torch.tensor([0, 1, 2, 1]), torch.tensor([0, 1, 2, 0]), torch.tensor([4]))
    assert float(bare.compute()["span_f1"]) == 1.0  # a lone i begins a span


@given(PAIRS, st.integers(0, 5))
def test_scores_add_up_over_batches(pairs, cut):
    for make in (lambda: TokenScores(4), lambda: SpanScores(Labels(BIO))):
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
    found = metric.compute()
    assert float(found["f1"]) == pytest.approx(expected)
    assert float(found["accuracy"]) == pytest.approx(sum(g == p for g, p in flat) / len(flat))


def test_without_an_outside_label_f1_is_accuracy():
    metric = TokenScores(None)
    metric.update(torch.tensor([0, 1, 2]), torch.tensor([0, 1, 1]), torch.tensor([3]))
    assert (
        float(metric.compute()["f1"]) == float(metric.compute()["accuracy"]) == pytest.approx(2 / 3)
    )


def test_labels_unseen_in_training_are_misses_and_counted():
    metric = TokenScores(1)
    metric.update(torch.tensor([0, 0, 1]), torch.tensor([0, -1, -1]), torch.tensor([3]))
    found = metric.compute()
    assert int(found["unseen_labels"]) == 2
    assert float(found["recall"]) == pytest.approx(1 / 3)
    spans = SpanScores(Labels(["b", "i", "o"]))
    spans.update(torch.tensor([0, 0]), torch.tensor([0, -1]), torch.tensor([2]))
    assert float(spans.compute()["span_precision"]) == 0.5


def test_the_mean_loss_leaves_words_without_a_known_label_out():
    metric = MeanLoss()
    metric.update(torch.tensor([1.0, 0.0, 3.0]), torch.tensor([0, -1, 2]))
    assert float(metric.compute()) == 2.0
