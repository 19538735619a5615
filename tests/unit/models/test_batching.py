"""Flat batches hold every word of every sentence once, in an order that can be undone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_sequence

from mtl_bench.models.inputs.batches import collate, evaluation_batches
from tests.unit.models._inputs import split

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=8)


def sentences(data):
    return [data.words[s : s + n] for s, n in zip(data.starts, data.lengths, strict=True)]


@given(LENGTHS, st.randoms())
def test_the_order_is_that_of_a_packed_sequence(lengths, random):
    data = split(lengths)
    chosen = np.array(random.sample(range(len(lengths)), k=random.randint(1, len(lengths))))
    batch = collate("t", data, chosen)
    longest_first = sorted((sentences(data)[c] for c in chosen), key=len, reverse=True)
    packed = pack_sequence([torch.from_numpy(words) for words in longest_first])
    assert batch.rows[batch.words].tolist() == packed.data.tolist()
    assert batch.sizes.tolist() == packed.batch_sizes.tolist()
    assert batch.rows.tolist() == sorted(set(packed.data.tolist()))


@given(LENGTHS)
def test_order_gives_the_sentences_back_as_they_were_given(lengths):
    data = split(lengths)
    batch = collate("t", data, np.arange(len(lengths)))
    assert batch.rows[batch.words][batch.order].tolist() == data.words.tolist()
    assert batch.targets[batch.order].tolist() == data.targets.tolist()
    assert batch.lengths.tolist() == lengths


@given(LENGTHS)
def test_mirror_turns_each_sentence_around_and_previous_steps_back(lengths):
    batch = collate("t", split(lengths), np.arange(len(lengths)))
    ends = np.cumsum(lengths)
    place = {
        int(row): (i, n)
        for n, row in enumerate(batch.order)
        for i in [np.searchsorted(ends, n, "right")]
    }
    for row, (sentence, n) in place.items():
        first, last = ends[sentence] - lengths[sentence], ends[sentence] - 1
        assert place[int(batch.mirror[row])] == (sentence, first + last - n)
        if row >= len(lengths):
            assert place[int(batch.previous[row - len(lengths)])] == (sentence, n - 1)


@given(LENGTHS)
def test_weights_are_a_mean_of_means(lengths):
    batch = collate("t", split(lengths), np.arange(len(lengths)))
    assert torch.isclose(batch.weights.sum(), torch.tensor(1.0, dtype=torch.float64))
    one = batch.weights[batch.order][: lengths[0]]
    assert torch.allclose(one, torch.tensor(1 / (lengths[0] * len(lengths)), dtype=torch.float64))


def test_evaluation_sees_every_sentence_once_or_whole_batches_only():
    data = split(list(range(1, 30)) * 70)
    for whole, kept in ((None, len(data)), (32, len(data) // 32 * 32)):
        chosen = np.concatenate(list(evaluation_batches(data, whole)))
        assert sorted(chosen.tolist()) == list(range(kept))


def test_a_target_a_sentence_keeps_the_order_given():
    data = split([2, 5, 3, 5])
    data = data.with_targets(np.array([0.5, 1.5, 2.5, 3.5]), "sentence")
    assert collate("t", data, np.array([3, 0, 2])).targets.tolist() == [3.5, 0.5, 2.5]
    with pytest.raises(ValueError, match="there are 4 targets of level word, not 15"):
        data.with_targets(data.targets, "word")
