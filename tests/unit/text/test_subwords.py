"""Sub-words are those of the model's tokenizer, and long sentences are read in windows."""

from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from mtl_bench.text.subwords import Subwords, windows
from tests import tiny_models

KINDS = {
    "wordpiece": tiny_models.wordpiece,
    "wordpiece with accents": lambda: tiny_models.wordpiece(accents=True),
    "padded on the left": tiny_models.padded_left,
    "gpt2": tiny_models.gpt2,
    "roberta": tiny_models.roberta,
    "roberta, own blanks": lambda: tiny_models.roberta(prefix=True),
    "modern": tiny_models.modern,
    "unigram": tiny_models.unigram,
    "unigram, first": lambda: tiny_models.unigram("first"),
    "unigram, never": lambda: tiny_models.unigram("never"),
    "accents stripped": tiny_models.stripped,
    "prepended": tiny_models.prepended,
}
COUNT_ON_BLANKS = ("gpt2", "roberta", "modern", "unigram, never")
AROUND = {
    "gpt2": ([], []),
    "roberta": (["<s>"], ["</s>"]),
    "roberta, own blanks": (["<s>"], ["</s>"]),
    "modern": (["<s>"], []),
    "unigram": ([], ["</s>"]),
    "unigram, first": ([], ["</s>"]),
    "unigram, never": ([], ["</s>"]),
    "accents stripped": ([], []),
    "prepended": (["<s>"], []),
}
WORDS = st.lists(st.text(max_size=12), min_size=1, max_size=6)
kinds = pytest.mark.parametrize("kind", KINDS)


@cache
def reference(kind):
    backend, options = KINDS[kind]()
    return PreTrainedTokenizerFast(tokenizer_object=backend, **options)


@cache
def subwords(kind, size=512):
    one = reference(kind)
    return Subwords(one.backend_tokenizer.to_str(), one.unk_token_id, one.pad_token_id, size)


def pieces_of(kind, words):
    """The sub-words of each word as transformers tells them; [] for a word that became nothing."""
    if kind in COUNT_ON_BLANKS:
        words = [word if word[:1].isspace() else f" {word}" for word in words]
    encoding = reference(kind)(words, is_split_into_words=True, truncation=False, padding=False)
    pieces = [[] for _ in words]
    for number, of_word in zip(encoding["input_ids"], encoding.word_ids(), strict=True):
        if of_word is not None:
            pieces[of_word].append(number)
    return pieces


@kinds
@given(WORDS)
@example(["The", "quick", "brown", "fox", "Unbelievable", "Zürich", "1234", "!"])
@example(["L'été", "naïfs", "New York", " leading", "trailing ", "a\tb", "a\u00a0b", "\u2028"])
@example(["\u0301", "e\u0301", "\u200b", "\x00", "\x1f", "\ufffd", "", " "])
@example(["😀", "👩‍👩‍👧‍👦", "🇦🇹", "漢字", "ﷺ", "ǅ", "İ", "ß", "ﬁ", "①"])
@example(["[SEP]", "<s>", "</s>", "##ing", "▁", "Ġ", "<|endoftext|>"])
def test_words_have_the_subwords_that_transformers_gives_them(kind, words):
    one = subwords(kind)
    nothing = [one.padding if one.unknown is None else one.unknown]
    expected = [pieces or nothing for pieces in pieces_of(kind, words)]
    assert one.split(words) == expected


@kinds
@given(WORDS)
def test_a_sentence_is_its_words_between_what_the_model_wants(kind, words):
    """Encoded as a whole, a sentence is the sub-words of its words, and those around them."""
    one = subwords(kind)
    before, behind = one.around
    spaced = [f" {w}" if kind in COUNT_ON_BLANKS and not w[:1].isspace() else w for w in words]
    whole = reference(kind)(spaced, is_split_into_words=True, truncation=False, padding=False)
    inner = [piece for pieces in pieces_of(kind, words) for piece in pieces]
    assert whole["input_ids"] == [*before, *inner, *behind]


@kinds
def test_what_stands_around_a_sentence_follows_from_the_template(kind):
    expected = AROUND.get(kind, (["[CLS]"], ["[SEP]"]))
    tokens = [reference(kind).convert_ids_to_tokens(ids) for ids in subwords(kind).around]
    assert tuple(tokens) == expected
    assert subwords(kind).room == 512 - sum(map(len, expected))


@pytest.mark.parametrize("kind", COUNT_ON_BLANKS)
def test_words_are_not_glued_together(kind):
    """Words have the sub-words that they have inside a text, behind a blank."""
    text = reference(kind).backend_tokenizer.encode(" the lazy dog", add_special_tokens=False).ids
    assert text == [n for pieces in subwords(kind).split(["the", "lazy", "dog"]) for n in pieces]


@pytest.mark.parametrize("kind", ["wordpiece", "accents stripped"])
def test_a_word_that_becomes_nothing_is_the_unknown_one(kind):
    one = subwords(kind)
    (pieces,) = one.split(["\u0301"])
    assert pieces == [{"wordpiece": one.unknown, "accents stripped": one.padding}[kind]]


def test_what_surrounds_is_known_though_the_letter_a_becomes_nothing():
    backend = tiny_models.greek()
    one = Subwords(backend.to_str(), None, None, 10)
    assert one.split(["a", "β"])[0] == [0]
    assert [list(map(backend.id_to_token, ids)) for ids in one.around] == [["<s>"], []]


def test_special_words_that_stand_for_several_things_are_told_apart():
    """One sub-word may end texts and be the unknown word as well."""
    backend, _ = tiny_models.unigram()
    backend.post_processor = tiny_models.processors.TemplateProcessing(
        single="$A <unk>", special_tokens=[("<unk>", 2)]
    )
    one = Subwords(backend.to_str(), 2, None, 10)
    assert one.around == ([], [2])


def test_half_a_character_is_read_as_a_question_mark():
    one = subwords("wordpiece")
    assert one.split(["\ud800", "a\udfffb"]) == one.split(["?", "a?b"])


def test_a_word_longer_than_a_window_keeps_what_fits():
    one = subwords("roberta", size=10)
    (pieces,) = one.split(["abcdefghijklmnopqrst" * 3])
    assert len(pieces) == one.room == 8


@kinds
def test_its_state_makes_another_one(kind):
    one = subwords(kind)
    again = Subwords(**one.state())
    assert again.split(["The", "fox", "\u0301"]) == one.split(["The", "fox", "\u0301"])
    assert (again.around, again.room) == (one.around, one.room)


@st.composite
def sentences(draw):
    room = draw(st.integers(1, 30))
    return draw(st.lists(st.integers(1, room), max_size=60)), room


@given(sentences())
def test_each_word_is_taken_once_and_in_order(sentence):
    counts, room = sentence
    parts = list(windows(counts, room))
    taken = [word for part in parts for word in range(part.first, part.last)]
    assert taken == list(range(len(counts)))


@given(sentences())
def test_windows_fit_hold_what_is_taken_and_go_forward(sentence):
    counts, room = sentence
    parts = list(windows(counts, room))
    for part in parts:
        assert part.begin <= part.first < part.last <= part.end
        assert sum(counts[part.begin : part.end]) <= room
    assert len(parts) <= 1 or sum(counts) > room  # what fits is read at once
    assert [p.begin for p in parts] == sorted(p.begin for p in parts)


@given(sentences())
def test_there_is_context_on_both_sides_where_there_is_some(sentence):
    """Words before and behind, unless a neighbour alone is longer than a quarter of a window."""
    counts, room = sentence
    quarter = room // 4
    for part in windows(counts, room):
        if part.first and counts[part.first - 1] <= min(quarter, room - counts[part.first]):
            assert part.begin < part.first
        if part.last < len(counts) and part.last - part.first > 1:
            assert part.last < part.end or counts[part.last - 1] > quarter


@given(st.integers(4, 40), st.integers(1, 300))
def test_short_words_have_a_quarter_of_a_window_on_either_side(room, length):
    for begin, end, first, last in windows([1] * length, room):
        assert first - begin >= min(first, room // 4)
        assert end - last >= min(length - last, room // 4)


def test_words_as_long_as_windows_are_read_one_by_one():
    assert [tuple(part) for part in windows([5, 5, 5], 5)] == [
        (0, 1, 0, 1),
        (1, 2, 1, 2),
        (2, 3, 2, 3),
    ]
    assert list(windows([], 5)) == []
