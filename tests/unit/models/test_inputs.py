"""From raw words to numbers: what the input of words normalises, numbers, counts and describes."""

import pytest
import torch

from mtl_bench.errors import UserError
from mtl_bench.models.inputs.prepare import ReadingOptions, prepare
from mtl_bench.models.inputs.words import WordInput
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.types.tagging import Tagging
from mtl_bench.text.embeddings import RandomVectors
from mtl_bench.text.vocabulary import END, START, UNKNOWN, Vocabulary

TRAIN = (Example(("A", "b b", "C"), ("x", "y", "x")), Example(("a", "C"), ("x", "x")))
TEST = (Example(("c", "New"), ("z", "x")),)
CORPUS = Corpus("t", {"train": TRAIN, "dev": TEST, "test": TEST}, Tagging())
VECTORS = RandomVectors(dim=3, min_count=1, std=0.1)


def words(lowercase=True):
    return WordInput.build(VECTORS, {"t": CORPUS}, lowercase, seed=0)


def test_words_are_normalised_here_and_not_in_the_corpus():
    assert words().vocabulary.words[3:] == ("a", "b_b", "c")
    assert words(lowercase=False).vocabulary.words[3:] == ("A", "C", "a", "b_b")
    assert CORPUS["train"][0].words == ("A", "b b", "C")


def test_sentences_get_symbols_and_are_cut():
    one = words()
    split = one.encode([example.words for example in (*TRAIN, *TEST)], max_length=2)
    assert split.words.tolist() == [START, 3, 4, END, START, 3, 5, END, START, 5, UNKNOWN, END]
    assert split.starts.tolist() == [0, 4, 8]
    assert split.lengths.tolist() == [4, 4, 4]
    assert not len(split.targets)


def test_targets_are_cut_as_words_are_and_unseen_labels_are_negative():
    options = ReadingOptions({"t": 2}, eval_split="test", truncate_eval=True)
    prepared = prepare({"t": CORPUS}, VECTORS, options)
    x, y = prepared.tasks["t"].targets.ids("xy")
    start, end = 2, 3
    assert prepared.train["t"].targets.tolist() == [start, x, y, end, start, x, x, end]
    assert prepared.final["t"].targets.tolist() == [start, -1, x, end]
    whole = prepare({"t": CORPUS}, VECTORS, ReadingOptions({"t": 1}))
    assert len(whole.train["t"].words) == 6
    assert len(whole.final["t"].words) == 4


def test_statistics_are_of_normalised_words():
    statistics = prepare({"t": CORPUS}, VECTORS, ReadingOptions({"t": None})).statistics["t"]
    assert statistics["tokens_per_type"] == pytest.approx((5 + 2) / (3 + 1))  # a, b_b, c, end
    cased = prepare({"t": CORPUS}, VECTORS, ReadingOptions({"t": None}, lowercase=False))
    assert cased.statistics["t"]["tokens_per_type"] == pytest.approx((5 + 2) / (4 + 1))


def test_what_cannot_be_evaluated_is_refused_before_anything_is_built():
    corpus = Corpus("t", {"train": TRAIN, "dev": (), "test": TEST}, Tagging())
    with pytest.raises(UserError, match="task 't' has no dev split to evaluate on"):
        prepare({"t": corpus}, None, ReadingOptions({"t": None}))


def test_words_without_a_vector_are_counted():
    one = WordInput(Vocabulary(["a"]), torch.zeros(4, 3), lowercase=True)
    assert list(one.remarks({"t": CORPUS}, VECTORS)) == [
        "vectors: 1 of 4 different words have one (77.8% of all occurrences have none)"
    ]


def test_a_description_is_plain_and_restores_the_input():
    one = words(lowercase=False)
    other = WordInput.restore(one.describe())
    assert other.vocabulary.words == one.vocabulary.words
    assert other.describe() == one.describe()
    assert other.table.shape == one.table.shape
    other.load_state_dict(one.state_dict())
    assert torch.equal(other.table, one.table)
