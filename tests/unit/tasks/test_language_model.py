"""Language models: from the words of any corpus, in both directions, without seeing the answer."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import mtl_bench
from mtl_bench.config.tasks import make_reader, make_type, plain_task
from mtl_bench.errors import UserError
from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.heads.language_model import LanguageModelHead
from mtl_bench.models.inputs.batches import collate
from mtl_bench.tasks.definition import Split, Task
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.language_model import (
    END,
    OTHER,
    START,
    FrequentWords,
    LanguageModel,
    PerplexityScorer,
)
from tests.unit.models._inputs import split

WORDS = [OTHER, START, END, *(f"w{n}" for n in range(9))]


def model(hidden=6):
    """A head, an encoder and vectors for words 0 to 49."""
    torch.manual_seed(0)
    head = LanguageModelHead(2 * hidden, Fitted(LanguageModel(), FrequentWords(WORDS)))
    encoder = BiLSTM(4, hidden_size=hidden, forget_bias=1.0)
    return head.double(), encoder.double(), torch.randn(50, 4, dtype=torch.float64)


def states_of(encoder, vectors, batch):
    return encoder(vectors[batch.rows], batch)


def sentences(lengths=(5, 3, 7)):
    own = split(list(lengths), labels=len(WORDS))
    return collate("t", own, np.arange(len(lengths)))


def test_the_loss_is_that_of_each_sentence_by_itself():
    head, encoder, vectors = model()
    batch = sentences()
    states = states_of(encoder, vectors, batch)
    expected, start = 0.0, 0
    for length in batch.lengths.tolist():
        rows = batch.order[start : start + length]
        start += length
        forward, backward = states[rows].chunk(2, dim=1)
        targets = batch.targets[rows]
        total = 0.0
        for n in range(1, length):
            left = head.softmax[0].log_prob(torch.tanh(head.hidden[0](forward[n - 1 : n])))
            right = head.softmax[1].log_prob(torch.tanh(head.hidden[1](backward[n : n + 1])))
            total -= left[0, targets[n]] + right[0, targets[n - 1]]
        expected += total / length / len(batch.lengths)
    torch.testing.assert_close(head.loss(head(states, batch), batch), expected)
    result = head.evaluate(states, batch)
    assert len(result.losses) == sum(result.lengths) == sum(batch.lengths) - 2 * 3


def test_no_state_has_seen_what_it_predicts():
    head, encoder, vectors = model()
    batch = sentences((6,))
    vectors.requires_grad_(True)
    states = states_of(encoder, vectors, batch)
    left, right = head._negative_log_likelihoods(states, batch)
    rows = batch.order.tolist()
    words = batch.rows[batch.words]
    for place in range(1, 6):
        [gradient] = torch.autograd.grad(left[rows[place]], vectors, retain_graph=True)
        seen = {int(words[rows[n]]) for n in range(place)}
        assert set(gradient.abs().sum(1).nonzero().flatten().tolist()) <= seen
        [gradient] = torch.autograd.grad(right[rows[place - 1]], vectors, retain_graph=True)
        seen = {int(words[rows[n]]) for n in range(place, 6)}
        assert set(gradient.abs().sum(1).nonzero().flatten().tolist()) <= seen


def test_gradients_are_those_of_the_loss():
    head, encoder, vectors = model(3)
    batch = sentences((4, 3))
    states = states_of(encoder, vectors, batch).detach().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda s: head.loss(s, batch), states)


def test_it_says_a_word_for_each_word():
    head, encoder, vectors = model()
    batch = sentences()
    decoded = head.decode(states_of(encoder, vectors, batch), batch)
    assert [len(each) for each in decoded] == (batch.lengths - 2).tolist()
    assert {word for each in decoded for word in each} <= set(WORDS)


@given(
    st.lists(st.lists(st.sampled_from(["a", "B", "b", "c", OTHER, END]), max_size=6), min_size=1)
)
def test_classes_are_the_frequent_words_in_any_order(texts):
    words = FrequentWords.of(texts, 2)
    assert len(words) <= 5
    assert {OTHER, START, END} <= set(words.names)
    assert FrequentWords.of(texts[::-1], 2).names == words.names
    ids = words.encode(texts)
    assert len(ids) == sum(map(len, texts)) + 2 * len(texts)
    assert FrequentWords(**{"names": words.state()["names"]}).encode(texts).tolist() == ids.tolist()
    counts = np.bincount(ids, minlength=len(words))
    own = [n for n in range(len(words)) if words.names[n] != OTHER]
    assert (np.diff(counts[own]) <= 0).all()  # the most frequent first


def test_perplexity_is_that_of_all_words():
    scorer = PerplexityScorer()
    for part in ([1.0, 2.0], [3.0]):
        scorer.update(np.array(part), np.zeros(len(part)), np.array([len(part)]))
    assert scorer.compute() == {"perplexity": pytest.approx(math.exp(2))}
    assert PerplexityScorer().compute() == {"perplexity": 1.0}


def test_any_corpus_serves_by_its_name(mirror):
    task = plain_task("lm_mwe")
    assert task.title.startswith("Language model of: ")
    corpus = load_corpus("lm_mwe", task, make_reader("lm_mwe", task), make_type("lm_mwe", task))
    base = plain_task("mwe")
    tagging = load_corpus("mwe", base, make_reader("mwe", base), make_type("mwe", base))
    assert [e.words for e in corpus["train"]] == [e.words for e in tagging["train"]]
    assert all(e.target == e.words for e in corpus["test"])
    with pytest.raises(KeyError):
        plain_task("lm_nothing")


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_text_without_labels_is_read(suffix, tmp_path):
    import gzip

    text = b"The cat's here.\n\n...\n  \nNo .\n"
    file = tmp_path / f"train.txt{suffix}"
    file.write_bytes(gzip.compress(text) if suffix else text)
    for how, first in (
        ("words", ("The", "cat's", "here", ".")),
        ("blanks", ("The", "cat's", "here.")),
    ):
        reader = {"_target_": "mtl_bench.tasks.readers.plain_text.PlainTextReader", "split": how}
        task = Task("t", reader, {}, type="language_model", folder="/")
        task.splits = {"train": Split(str(file)), "test": Split(str(file))}
        corpus = load_corpus("t", task, make_reader("t", task), make_type("t", task))
        assert corpus["train"][0].words == corpus["train"][0].target == first
        assert len(corpus["train"]) == 3
    task.reader = {**reader, "split": "letters"}
    with pytest.raises(UserError, match="split: 'letters' is neither words nor blanks"):
        make_reader("t", task)


@pytest.mark.parametrize("vocabulary", [0, -1, 1.5, True])
def test_the_number_of_classes_is_checked(vocabulary):
    task = plain_task("lm_syn_pos")
    task.type = {"name": "language_model", "vocabulary": vocabulary}
    with pytest.raises(UserError, match="a whole number from 1"):
        make_type("lm_syn_pos", task)


def test_it_is_trained_beside_a_task_that_it_is_made_of(command):
    arguments = ["optimizer=adam", "optimizer.lr=0.003", "steps_per_task=60", "save_weights=true"]
    code, out, err = command("main=syn_pos", "aux=lm_syn_pos", *arguments)
    assert code == 0, err
    assert "perplexity" in out
    [folder] = Path("multirun_outputs/default").rglob("seed0")
    record = mtl_bench.open_sweep("default").runs()
    assert record["state"].tolist() == ["finished"]
    curve = mtl_bench.Run(folder, None).curve()
    own = curve[(curve["task"] == "lm_syn_pos") & (curve["split"] == "dev")]["perplexity"]
    assert own.min() < own.iloc[0] / 1.5
    tagger = mtl_bench.load_tagger(folder)
    words = ["Baker", "sold", "cats"]
    assert len(tagger.tag([words], "lm_syn_pos")[0]) == 3
    code, _, err = command("main=lm_syn_pos", *arguments)
    assert code == 0, err
    gains = mtl_bench.open_sweep("default").gains()
    [gain] = gains[gains["main"] == "lm_syn_pos"].to_dict("records")
    assert gain["metric"] == "perplexity"
    assert (gain["gain_percent"] > 0) == (gain["pair"] < gain["single"])  # lower is better


def test_states_that_have_seen_the_word_are_refused_before_they_are_computed(
    command, pretrained_folder
):
    model_folder = f"embeddings.model={pretrained_folder()}"
    arguments = ["embeddings=contextual", "embeddings.layers=last_2", model_folder]
    code, _, err = command("main=syn_pos", "aux=lm_syn_pos", *arguments)
    assert code == 2
    assert "task 'lm_syn_pos' predicts words from states that must not have seen them" in err
    assert "embeddings=random, glove or file" in err


def test_a_transformer_that_is_fine_tuned_predicts_hidden_words(command, pretrained_folder):
    arguments = ["debug=quick", "encoder=transformer", "embeddings=subwords", "optimizer=adamw"]
    pair = ["main=syn_pos", "aux=lm_syn_pos"]
    code, out, err = command(*pair, *arguments, f"embeddings.model={pretrained_folder()}")
    assert code == 0, err
    assert "perplexity=" in out
    without = pretrained_folder("gpt2")
    code, _, err = command(*pair, *arguments, f"embeddings.model={without}")
    assert code == 2
    assert "hidden by a mask, but the encoder's tokenizer has none" in err


def test_names_of_no_task_are_answered(command):
    code, _, err = command("main=lm_nothing")
    assert code == 2
    assert "there is no task 'lm_nothing'" in err
