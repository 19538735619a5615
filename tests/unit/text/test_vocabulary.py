"""Words as models read them, and their ids."""

from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.types.tagging import Tagging
from mtl_bench.text.vocabulary import UNKNOWN, Vocabulary, normalise

WORDS = st.lists(st.text(min_size=1, max_size=3), max_size=10)


@given(WORDS, WORDS)
def test_ids_and_words_belong_together_in_any_order(own, text):
    vocabulary = Vocabulary(own)
    assert vocabulary.words == Vocabulary(reversed(own)).words
    for word, number in zip(text, vocabulary.ids(text), strict=True):
        assert vocabulary.words[number] == word if word in vocabulary.words else number == UNKNOWN


def test_words_are_normalised_and_targets_kept():
    corpus = Corpus("t", {"train": (Example(("New York", "ÉTÉ"), ("X", "y")),)}, Tagging("X"))
    lower = normalise(corpus, lowercase=True)
    assert lower["train"] == (Example(("new_york", "été"), ("X", "y")),)
    assert lower.type == corpus.type
    assert normalise(corpus, lowercase=False)["train"][0].words == ("New_York", "ÉTÉ")
