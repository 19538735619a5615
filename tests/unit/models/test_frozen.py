"""Frozen states are those of a plain run of the model over each sentence."""

import re
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, PreTrainedTokenizerFast

from mtl_bench.errors import UserError
from mtl_bench.models.inputs.frozen import FrozenModel
from mtl_bench.models.inputs.states import StateInput
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example
from mtl_bench.text import states as kept
from mtl_bench.text.contextual import ContextualStates
from mtl_bench.text.states import StateTable, corpus_states
from mtl_bench.text.subwords import windows
from tests import tiny_models
from tests.unit.models._inputs import tagging

SENTENCES = [
    ("The", "quick", "brown", "fox", "jumps", "!"),
    ("Sleeps",),
    ("Unbelievable", "Zürich", "😀", "\u0301", ",", "1234"),
    ("words", "split", "into", "letters", "naturally", "."),
]
LONG = tuple(word for n in range(40) for word in SENTENCES[n % 4])


def frozen(folder, layers="last_2"):
    return FrozenModel(ContextualStates(folder, layers))


def of_layers(folder, ids, layers):
    """The mean of some layers for one sentence by itself, [sub-words, size]."""
    model = AutoModel.from_pretrained(folder).eval()
    model = model.get_encoder() if model.config.is_encoder_decoder else model
    with torch.no_grad():
        output = model(input_ids=torch.tensor([ids]), output_hidden_states=True)
    chosen = [output.hidden_states[layer][0] for layer in layers]
    return torch.stack(chosen).mean(0).numpy()


def plain(folder, words, layers):
    """The states of first sub-words as transformers alone gives them."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    blank = "" if "▁" in tokenizer.get_vocab() else " "  # BERT's takes it away
    encoding = tokenizer([blank + word for word in words], is_split_into_words=True)
    of_word = encoding.word_ids()
    states = of_layers(folder, encoding["input_ids"], layers)
    first = [of_word.index(n) for n in range(len(words)) if n in of_word]
    present = [n for n in range(len(words)) if n in of_word]
    return states[first], present


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_computing_states_leaves_the_number_of_threads(parts, pretrained_folder, monkeypatch):
    monkeypatch.setattr(kept, "PART_WORDS", 1)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        corpus_states("a corpus", SENTENCES[:parts], frozen(pretrained_folder()), threads=2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("kind", tiny_models.MODELS)
def test_states_are_those_of_each_sentence_by_itself(kind, pretrained_folder):
    model = frozen(pretrained_folder(kind))
    # A word that becomes nothing has a sub-word here, and none in transformers.
    sentences = [tuple(word for word in s if word != "\u0301") for s in SENTENCES]
    states = model.states(sentences)
    assert states.dtype == np.float16
    assert states.shape == (sum(map(len, sentences)), model.size)
    row = 0
    for sentence in sentences:
        expected, present = plain(model.title, sentence, [-1, -2])
        assert present == list(range(len(sentence)))
        part = states[row : row + len(sentence)]
        np.testing.assert_allclose(part, expected, rtol=2e-3, atol=2e-3)
        row += len(sentence)


@pytest.mark.parametrize(
    ("layers", "numbers"),
    [
        ("last_1", [3]),
        ("last_2", [2, 3]),
        ("last_3", [1, 2, 3]),
        ("0", [0]),
        ("1", [1]),
        ("3", [3]),
    ],
)
def test_layers_are_chosen(layers, numbers, pretrained_folder):
    folder = pretrained_folder("bert", num_hidden_layers=3)
    states = frozen(folder, layers).states([SENTENCES[0]])
    expected, _ = plain(folder, SENTENCES[0], numbers)
    np.testing.assert_allclose(states, expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("kind", ["bert", "t5", "distilbert", "gpt2", "bart", "xlm"])
def test_layers_that_are_not_there_are_told_at_once(kind, pretrained_folder):
    message = "embeddings.layers is last_3; .* has 2 layers: last_1 to last_2, or 0 to 2"
    with pytest.raises(UserError, match=message):
        ContextualStates(pretrained_folder(kind), "last_3").checksum()
    with pytest.raises(UserError, match=r"embeddings\.layers is 3; .* has 2 layers"):
        ContextualStates(pretrained_folder(kind), "3").checksum()
    assert ContextualStates(pretrained_folder(kind), "2").checksum()


def test_neighbours_in_a_batch_do_not_matter(pretrained_folder):
    model = frozen(pretrained_folder("bert"))
    alone = np.concatenate([model.states([sentence]) for sentence in [*SENTENCES, LONG]])
    together = model.states([*SENTENCES, LONG])
    np.testing.assert_allclose(alone, together, rtol=2e-3, atol=2e-3)
    backwards = model.states([LONG, *SENTENCES[::-1]])
    np.testing.assert_allclose(backwards[: len(LONG)], together[-len(LONG) :], atol=2e-3)


def test_a_word_that_becomes_nothing_has_a_state(pretrained_folder):
    model = frozen(pretrained_folder("bert"))
    unknown = "\u3042"  # of no alphabet that the tokenizer knows
    both = model.states([("a", "\u0301", "fox"), ("a", unknown, "fox")])
    np.testing.assert_array_equal(both[:3], both[3:])


@pytest.mark.parametrize("kind", ["bert", "roberta", "gpt2", "modernbert"])
def test_long_sentences_are_read_in_windows_and_no_word_is_left_out(kind, pretrained_folder):
    model = frozen(pretrained_folder(kind), "last_1")
    states = model.states([LONG])
    assert states.shape == (len(LONG), model.size)
    pieces = model.subwords.split(LONG)
    before, behind = model.subwords.around
    parts = list(windows([len(p) for p in pieces], model.subwords.room))
    assert len(parts) > 5
    for part in parts:
        ids, places = list(before), []
        for number in range(part.begin, part.end):
            places.append(len(ids))
            ids += pieces[number]
        of_window = of_layers(model.title, [*ids, *behind], [-1])
        taken = [places[n - part.begin] for n in range(part.first, part.last)]
        expected = of_window[taken]
        np.testing.assert_allclose(states[part.first : part.last], expected, rtol=2e-3, atol=2e-3)


def test_numbers_too_large_for_float16_are_clipped(pretrained_folder, tmp_path):
    folder = shutil.copytree(pretrained_folder("bert"), tmp_path / "large")
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.output.LayerNorm.weight"] *= 1e6
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    states = frozen(str(folder), "last_1").states([SENTENCES[0]])
    assert np.isfinite(states).all()
    assert np.abs(states).max() == np.finfo(np.float16).max


def test_threads_change_no_bit_and_are_as_many_afterwards(pretrained_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "PART_WORDS", 30)
    sentences = [LONG[: n + 1] for n in range(60)]
    rows = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / f"cache{threads}"))
        rows.append(corpus_states("c", sentences, frozen(pretrained_folder("bert")), threads).rows)
    assert torch.get_num_threads() == before
    assert rows[0].tobytes() == rows[1].tobytes()


def corpus(sentences):
    examples = tuple(Example(s, ("x",) * len(s)) for s in sentences)
    return Corpus("c", {"train": examples[:2], "test": examples[2:]}, tagging().type)


@pytest.fixture
def state_input(pretrained_folder):
    source = ContextualStates(pretrained_folder("bert"), "last_2")
    return StateInput.build(source, {"c": corpus(SENTENCES)}, lowercase=True, seed=0)


def steps(input_, sentences, max_length=None):
    """The vectors of every step of each sentence, boundary symbols included."""
    split = input_.encode(sentences, max_length)
    batch = input_.collate("t", split, np.arange(len(sentences)))
    vectors = input_(batch, sparse=False)[batch.words][batch.order]
    return vectors.split(batch.lengths.tolist())


def test_the_input_gives_words_their_states_and_symbols_zeros(state_input):
    sentences = [SENTENCES[2], SENTENCES[0]]
    expected = state_input.model.states(sentences)
    first, second = steps(state_input, sentences)
    for vectors in (first, second):
        assert vectors.dtype == torch.float32
        assert not vectors[0].any()
        assert not vectors[-1].any()
    words = torch.cat((first[1:-1], second[1:-1])).numpy()
    np.testing.assert_allclose(words, expected, rtol=2e-3, atol=2e-3)


def test_the_input_has_the_precision_of_the_model(state_input):
    assert {v.dtype for v in steps(state_input.double(), SENTENCES)} == {torch.float64}
    assert not list(state_input.parameters())


def test_words_that_are_left_out_still_are_context(state_input):
    (cut,) = steps(state_input, [SENTENCES[0]], max_length=2)
    (full,) = steps(state_input, [SENTENCES[0]])
    assert cut.shape == (4, 16)
    assert torch.equal(cut[1:3], full[1:3])


def test_other_sentences_are_read_when_they_come(state_input):
    tables = list(state_input.tables)
    new = ("Brown", "words", "jump")
    first, second = steps(state_input, [new, SENTENCES[1]])
    expected = StateTable.of([new], state_input.model).rows[1:]
    np.testing.assert_allclose(first[1:-1], expected, rtol=2e-3, atol=2e-3)
    assert len(second) == 3
    assert state_input.tables == tables


def test_facts_and_remarks_say_how_much_is_kept(state_input):
    assert state_input.facts == {"rows": 1 + sum(map(len, SENTENCES))}
    (line,) = state_input.remarks({}, state_input.source)
    assert re.search(r"last_2, frozen: 20 words, 0 MB on disk", line)


def test_a_tagger_finds_its_model_again_and_no_other(state_input, pretrained_folder, tmp_path):
    description = state_input.describe()
    again = StateInput.restore(description)
    for one, other in zip(steps(again, SENTENCES), steps(state_input, SENTENCES), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3)
    with pytest.raises(UserError, match="is not the model that the tagger was trained with"):
        StateInput.restore(description | {"model": pretrained_folder("roberta")})
    with pytest.raises(UserError, match="is no folder"):
        StateInput.restore(description | {"model": str(tmp_path / "gone")})


def test_a_tagger_finds_its_model_from_another_folder(pretrained_folder, tmp_path, monkeypatch):
    shutil.copytree(pretrained_folder("bert"), tmp_path / "model")
    description = StateInput(ContextualStates("model", "last_2")).describe()
    monkeypatch.chdir("/")
    assert StateInput.restore(description).size == 16
