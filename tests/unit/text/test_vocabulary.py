"""Ids of words and labels."""

from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.tasks.corpus import Corpus, Sentence
from mtl_bench.text.vocabulary import END, START, UNKNOWN, Labels, Vocabulary, encode, normalise

WORDS = st.lists(st.text(min_size=1, max_size=3), max_size=10)


@given(WORDS, WORDS)
def test_ids_and_words_belong_together_in_any_order(known, text):
    vocabulary = Vocabulary(known)
    assert vocabulary.words == Vocabulary(reversed(known)).words
    for word, number in zip(text, vocabulary.ids(text), strict=True):
        assert vocabulary.words[number] == word if word in vocabulary.words else number == UNKNOWN


def test_sentences_get_symbols_and_are_cut():
    sentences = [Sentence(("a", "b", "c"), ("x", "y", "z")), Sentence(("c",), ("x",))]
    encoded = encode(sentences, Vocabulary(["a", "b"]), Labels(["x", "y"]), max_length=2)
    assert encoded.words.tolist() == [START, 3, 4, END, START, UNKNOWN, END]
    assert encoded.labels.tolist() == [2, 0, 1, 3, 2, 0, 3]
    assert encoded.starts.tolist() == [0, 4]
    assert encoded.lengths.tolist() == [4, 3]
    labels = Labels(["x", "y"], unseen=["w", "z"])
    assert encode(sentences, Vocabulary([]), labels).labels[3] == -2
    assert labels.all_names[-2] == "z"


def test_words_are_normalised_and_labels_kept():
    corpus = Corpus("t", {"train": (Sentence(("New York", "ÉTÉ"), ("X", "y")),)})
    assert normalise(corpus, lowercase=True)["train"] == (
        Sentence(("new_york", "été"), ("X", "y")),
    )
    assert normalise(corpus, lowercase=False)["train"][0].words == ("New_York", "ÉTÉ")
