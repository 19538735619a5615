"""Sequence to sequence: the loss, greedy outputs, and their scores."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import CHRF

from mtl_bench.errors import UserError
from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.weights import Kept, load_taggers, save_tagger
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.seq2seq import OutputScorer, OutputWords, Seq2Seq
from tests.unit.models._inputs import batch, word_input

HEAD = "mtl_bench.models.heads.seq2seq.Seq2SeqHead"
ENCODER = partial(BiLSTM, hidden_size=6, forget_bias=1.0)
WORDS = OutputWords(["a", "b", "c", "d"], ["rare"], max_length=6)


def tagger():
    torch.manual_seed(0)
    fitted = Fitted(Seq2Seq(max_length=6, head=HEAD), WORDS)
    return Tagger(word_input(), ENCODER, {"a": fitted}, partial(torch.optim.Adam, lr=0.02))


def sentences(outputs, lengths=(5, 3, 4)):
    one = batch(list(lengths), task="a")
    one.targets = torch.from_numpy(WORDS.encode(outputs))
    return one


def test_the_loss_is_that_of_one_word_after_another():
    model = tagger().double()
    one = sentences([["a", "b"], ["rare"], ["c", "d", "d"]])
    head = model.head("a")
    states = model.states(one)
    by_sentence = states[one.order].split(one.lengths.tolist())
    expected = []
    for of_sentence, gold in zip(by_sentence, [[2, 3, 0], [1, 0], [4, 5, 5, 0]], strict=True):
        state = torch.tanh(head.start(of_sentence.mean(0)))[None, None]
        said, losses = 0, []
        for word in gold:
            output, state = head.gru(head.vectors(torch.tensor([[said]])), state)
            weights = (head.attention(output[0, 0]) @ of_sentence.T).softmax(0)
            hidden = torch.tanh(head.hidden(torch.cat([output[0, 0], weights @ of_sentence])))
            losses.append(-head.softmax.log_prob(hidden[None])[0, word])
            said = word
        expected.append(torch.stack(losses).mean())
    torch.testing.assert_close(model.loss(one), torch.stack(expected).mean())


def test_outputs_are_learned_and_survive_saving(tmp_path):
    model = tagger()
    optimizer = model.configure_optimizers()
    outputs = [["a", "b"], ["d"], ["c", "d", "d"]]
    one = sentences(outputs)
    for step in range(150):
        model.take_step(optimizer, step, [one])
    model.eval()
    assert model.head("a").decode(model(one), one) == outputs
    result = model.head("a").evaluate(model(one), one)
    scorer = OutputScorer(WORDS)
    scorer.update(result.predictions.numpy(), result.gold.numpy(), result.lengths.numpy())
    assert scorer.compute() == {"chrf": pytest.approx(1.0), "exact": 1.0}
    save_tagger(tmp_path / "tagger", model, {"a": Kept(0, model.trained_weights())}, "a")
    loaded = load_taggers(tmp_path / "tagger")[0]["a"]
    assert loaded.head("a").decode(loaded(one), one) == outputs


def test_an_output_that_never_ends_is_cut():
    model = tagger()
    with torch.no_grad():
        model.head("a").softmax.head.weight[0] -= 100  # the end
        model.head("a").hidden.bias += 5
    one = sentences([["a"], ["b"], ["c"]])
    assert all(len(words) <= 6 for words in model.head("a").decode(model(one), one))


@given(st.lists(st.lists(st.sampled_from(["a", "b", "rare"]), min_size=1, max_size=9), min_size=1))
def test_what_is_encoded_can_be_read_back(outputs):
    ids = WORDS.encode(outputs)
    assert [WORDS.decode(row) for row in ids.tolist()] == outputs


def test_what_cannot_be_produced_is_scored_as_no_text_and_long_gold_outputs_whole():
    words = OutputWords(["other", "the"], ["zz"], max_length=1)
    scorer = OutputScorer(words)
    scorer.update(np.array([[1, 0]]), words.encode([["other"]]), np.array([1]))
    assert scorer.compute() == {"chrf": 0.0, "exact": 0.0}
    extra = OutputScorer(words)
    extra.update(np.array([[3, 1, 0]]), words.encode([["the"]]), np.array([1]))
    assert extra.compute() == {"chrf": pytest.approx(1), "exact": 0}
    longer = OutputScorer(words)
    longer.update(np.array([[2]]), words.encode([["other", "the"]]), np.array([1]))
    assert longer.compute()["exact"] == 0 and longer.compute()["chrf"] < 1


def test_chrf_is_that_of_the_texts_rare_words_included():
    gold, said = [["a", "rare"], ["b", "c"]], [["a", "b"], ["b", "c"]]
    scorer = OutputScorer(WORDS)
    for said_one, gold_one in zip(said, gold, strict=True):  # batches of different widths
        scorer.update(WORDS.encode([said_one]), WORDS.encode([gold_one]), np.array([3]))
    expected = CHRF().corpus_score(["a b", "b c"], [["a rare", "b c"]]).score / 100
    assert scorer.compute() == {"chrf": pytest.approx(expected), "exact": 0.5}


@pytest.mark.parametrize("target", ["text", [], ["a", ""], [1], None])
def test_a_target_that_is_no_list_of_words_is_refused(target):
    with pytest.raises(ValueError, match="target"):
        Seq2Seq().validate(Example(("x",), target))


def test_options_and_splits_without_a_common_word_are_refused():
    with pytest.raises(ValueError, match="max_length is 0"):
        Seq2Seq(max_length=0)
    splits = {"train": (Example(("x",), ["a"]),), "dev": (Example(("x",), ["b"]),), "test": ()}
    with pytest.raises(UserError, match="no word in common"):
        Seq2Seq().refuse(splits, "dev")
