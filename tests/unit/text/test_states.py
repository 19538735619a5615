"""States of a corpus are computed once, and alike whatever split or process they are for."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.text import states
from mtl_bench.text.states import Parts, StateTable
from tests.unit.text.letters import PART, PARTS, SENTENCES, Letters, cache, compute, content


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(states, "PART_WORDS", PART)


def test_sentences_make_several_parts():
    assert len(list(Parts(SENTENCES))) == PARTS


def test_each_word_has_the_state_of_its_place_and_row_0_is_zero():
    source = Letters()
    table = compute(source)
    assert table.rows.dtype == np.float16
    assert not table.rows[0].any()
    for sentence in SENTENCES:
        start = table.starts[sentence]
        rows = table.rows[start : start + len(sentence)]
        np.testing.assert_array_equal(rows, source.states([sentence]))
    assert len(table.rows) == 1 + sum(map(len, set(SENTENCES)))


def test_states_are_computed_once_and_that_is_said_once(capfd):
    first = compute()
    words = len(first.rows) - 1
    assert capfd.readouterr().err.startswith(f"states of corpus from letters: {words} words, ")
    again = Letters()
    table = compute(again)
    assert again.calls == 0
    assert capfd.readouterr().err == ""
    np.testing.assert_array_equal(table.rows, first.rows)


def test_order_and_repetition_change_nothing():
    compute()
    again = Letters()
    compute(again, SENTENCES[::-1] + SENTENCES[:5])
    assert again.calls == 0
    assert cache()


def test_what_is_kept_in_memory_is_what_is_kept_on_disk():
    rows = StateTable.of(SENTENCES, Letters()).rows
    np.testing.assert_array_equal(rows, compute().rows)


def test_no_sentence_has_no_state():
    assert compute(sentences=[]).rows.shape == (1, 3)
    assert StateTable.of([], Letters()).rows.shape == (1, 3)


def test_another_model_other_layers_and_other_sentences_have_their_own_file():
    compute()
    for source, sentences in (
        (Letters(("other", "last_4")), SENTENCES),
        (Letters(("other", "last_3")), SENTENCES),
        (Letters(), SENTENCES[1:]),
    ):
        compute(source, sentences)
        assert source.calls
    assert len(list((Path(os.environ["MTL_BENCH_CACHE"]) / "states").iterdir())) == 4


WORDS = st.lists(st.lists(st.text(max_size=3), max_size=3).map(tuple), max_size=4)


@given(WORDS, WORDS)
def test_the_digest_tells_sentences_apart_whatever_signs_they_hold(one, other):
    assert (Parts(one).digest() == Parts(other).digest()) == (set(one) == set(other))


def test_words_may_hold_what_separates_words_elsewhere():
    digests = {Parts([s]).digest() for s in [("a\x1fb",), ("a", "b"), ("a\x1e", "b"), ("\ud800",)]}
    assert len(digests) == 4


@given(st.lists(st.integers(1, 60), max_size=30))
def test_parts_are_all_rows_in_order(lengths):
    parts = Parts([tuple(map(str, range(length))) for length in lengths])
    row = 1
    for first, sentences in parts:
        assert first == row
        assert sentences
        row += sum(map(len, sentences))
    assert row == parts.rows


def test_the_number_of_threads_changes_nothing(tmp_path, monkeypatch):
    compute()
    first = content()
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "other"))
    compute(threads=3)
    assert content() == first
