"""A transformer that is trained further is what a plain implementation would be."""

from functools import partial

import numpy as np
import pytest
import torch

from mtl_bench.models.encoders.transformer import TransformerEncoder
from mtl_bench.models.inputs.subwords import SubwordInput
from mtl_bench.text.contextual import SubwordEmbeddings
from mtl_bench.text.subwords import windows
from tests import tiny_models

SENTENCES = [
    ("The", "quick", "brown", "fox", "jumps", "!"),
    ("Sleeps",),
    ("Unbelievable", "Zürich", "😀", "\u0301", ",", "1234"),
    ("words", "split", "into", "letters", "naturally", "."),
    ("a",),
]
LONG = tuple(word for n in range(16) for word in SENTENCES[n % 4])
ALL = [*SENTENCES, LONG, LONG[:30], LONG[:12], *([w] for w in LONG[:9])]
kinds = pytest.mark.parametrize("kind", tiny_models.MODELS)
NO_CHECKPOINTS = ("albert", "mpnet", "xlm")


def subword_input(folder):
    return SubwordInput.build(SubwordEmbeddings(folder), {}, lowercase=True, seed=0)


def batch_of(input_, sentences, max_length=None):
    split = input_.encode(sentences, max_length)
    return input_.collate("t", split, np.arange(len(sentences)))


def states_of(encoder, input_, sentences):
    """The states of every step, sentence after sentence."""
    batch = batch_of(input_, sentences)
    return encoder(input_(batch, sparse=False), batch)[batch.order]


def plain_states(transformer, input_, sentences):
    """The same by one window at a time, without padding."""
    before, behind = input_.subwords.around
    states = []
    for sentence in sentences:
        pieces = input_.subwords.split(sentence)
        of_sentence = []
        for begin, end, first, last in windows(list(map(len, pieces)), input_.subwords.room):
            places, ids = [], list(before)
            for number in range(begin, end):
                places.append(len(ids))
                ids += pieces[number]
            output = transformer(input_ids=torch.tensor([[*ids, *behind]])).last_hidden_state[0]
            of_sentence += [output[:1]] if first == 0 else []
            of_sentence.append(output[places[first - begin : last - begin]])
        states += [*of_sentence, output[-1:]]
    return torch.cat(states)


@kinds
def test_states_are_those_of_each_sentence_by_itself(kind, pretrained_folder):
    """In groups of like length, padded, in windows: none of it matters."""
    input_ = subword_input(pretrained_folder(kind))
    encoder = TransformerEncoder(0, pretrained_folder(kind)).eval()
    with torch.no_grad():
        states = states_of(encoder, input_, ALL)
        expected = plain_states(encoder.transformer, input_, ALL)
    assert states.shape == (sum(len(s) + 2 for s in ALL), encoder.size)
    torch.testing.assert_close(states, expected, rtol=1e-4, atol=1e-5)


def test_long_sentences_have_several_windows_and_like_ones_a_group(pretrained_folder):
    input_ = subword_input(pretrained_folder())
    groups = batch_of(input_, ALL).source
    assert len(groups.ids) > 1
    assert sum(len(ids) for ids in groups.ids) > len(ALL)
    for ids, mask in zip(groups.ids, groups.masks, strict=True):
        assert ids.shape == mask.shape
        assert mask[0].all()
        assert not ids[mask == 0].any()


def test_the_order_of_sentences_and_of_batches_does_not_matter(pretrained_folder):
    input_ = subword_input(pretrained_folder())
    encoder = TransformerEncoder(0, pretrained_folder()).eval()
    split = input_.encode(ALL)
    for chosen in ([3, 1, 0], [5], [5, 0], [0, 5], [16, 2, 6, 7, 4]):
        batch = input_.collate("t", split, np.array(chosen))
        with torch.no_grad():
            states = encoder(input_(batch, sparse=False), batch)[batch.order]
            expected = plain_states(encoder.transformer, input_, [ALL[n] for n in chosen])
        torch.testing.assert_close(states, expected, rtol=1e-4, atol=1e-5)


def test_words_beyond_the_longest_length_are_not_read(pretrained_folder):
    input_ = subword_input(pretrained_folder())
    cut, short = batch_of(input_, [LONG], max_length=5), batch_of(input_, [LONG[:5]])
    assert torch.equal(cut.source.ids[0], short.source.ids[0])
    assert cut.lengths.tolist() == [7]


def gradients(encoder, states, outer):
    encoder.zero_grad()
    (states * outer).sum().backward()
    return {n: p.grad.clone() for n, p in encoder.named_parameters() if p.grad is not None}


def assert_same(one, other, **options):
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], msg=lambda m, n=name: f"{n}: {m}", **options)


IN_FLOAT32 = ("t5", "xlm")
"""Whatever their weights are: XLM attention, and T5 in transformers 5.0 its norms and attention."""


@kinds
def test_gradients_are_those_of_a_plain_implementation_in_float64(kind, pretrained_folder):
    input_ = subword_input(pretrained_folder(kind))
    encoder = TransformerEncoder(0, pretrained_folder(kind), dropout=0.0).double()
    sentences = ALL[:7]
    outer = torch.randn(sum(len(s) + 2 for s in sentences), encoder.size, dtype=torch.float64)
    ours = gradients(encoder, states_of(encoder, input_, sentences), outer)
    plain = gradients(encoder, plain_states(encoder.transformer, input_, sentences), outer)
    assert ours
    tolerance = 1e-5 if kind in IN_FLOAT32 else 1e-10
    assert_same(ours, plain, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", sorted(tiny_models.MODELS.keys() - NO_CHECKPOINTS))
@pytest.mark.parametrize("trainable", ["all", "top_1"])
def test_checkpointing_changes_no_gradient(kind, trainable, pretrained_folder):
    input_ = subword_input(pretrained_folder(kind))
    outer, found = None, []
    for checkpointing in (False, True):
        make = partial(TransformerEncoder, 0, pretrained_folder(kind), trainable)
        encoder = make(dropout=0.2, gradient_checkpointing=checkpointing).double()
        torch.manual_seed(1)
        states = states_of(encoder, input_, SENTENCES)
        outer = torch.randn_like(states) if outer is None else outer
        found.append(gradients(encoder, states, outer))
    assert_same(*found, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("kind", NO_CHECKPOINTS)
def test_a_model_that_cannot_be_computed_again_is_told(kind, pretrained_folder):
    with pytest.raises(ValueError, match="does not support"):
        TransformerEncoder(0, pretrained_folder(kind), gradient_checkpointing=True)


@kinds
def test_dropout_is_that_of_the_option(kind, pretrained_folder):
    input_ = subword_input(pretrained_folder(kind))

    def twice(encoder):
        torch.manual_seed(0)
        return [states_of(encoder, input_, SENTENCES) for _ in range(2)]

    with torch.no_grad():
        encoder = TransformerEncoder(0, pretrained_folder(kind), dropout=0.0)
        assert all(module.training for module in encoder.modules())
        first, second = twice(encoder)
        assert torch.equal(first, second)
        torch.testing.assert_close(first, twice(encoder.eval())[0], rtol=1e-4, atol=1e-5)
        encoder = TransformerEncoder(0, pretrained_folder(kind), dropout=0.5)
        first, second = twice(encoder)
        assert not torch.equal(first, second)
        first, second = twice(encoder.eval())
        assert torch.equal(first, second)


def test_without_the_option_dropout_is_the_model_s_own(pretrained_folder):
    folder = pretrained_folder("bert", hidden_dropout_prob=0.3)
    own = TransformerEncoder(0, folder).transformer.embeddings.dropout.p
    other = TransformerEncoder(0, folder, dropout=0.1).transformer.embeddings.dropout.p
    assert (own, other) == (0.3, 0.1)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 2])
def test_dropout_is_a_share(dropout, pretrained_folder):
    with pytest.raises(ValueError, match=f"dropout is {dropout}; it is a share"):
        TransformerEncoder(0, pretrained_folder(), dropout=dropout)


def trained(encoder):
    return {name for name, p in encoder.named_parameters() if p.requires_grad}


LAST = {
    "distilbert": "transformer.layer.1.",
    "gpt2": "h.1.",
    "t5": "block.1.",
    "modernbert": "layers.1.",
    "bart": "layers.1.",
    "xlm": ("attentions.1.", "layer_norm1.1.", "ffns.1.", "layer_norm2.1."),
}
ABOVE = {
    "gpt2": ("ln_f.weight", "ln_f.bias"),
    "modernbert": ("final_norm.weight",),
    "t5": ("final_layer_norm.weight",),
}


@pytest.mark.parametrize("kind", sorted(tiny_models.MODELS.keys() - {"albert"}))
def test_the_upper_layers_alone_are_trained(kind, pretrained_folder):
    make = partial(TransformerEncoder, 0, pretrained_folder(kind))
    encoder = make("top_1", gradient_checkpointing=kind not in NO_CHECKPOINTS)
    expected = {
        f"transformer.{name}"
        for name, _ in encoder.transformer.named_parameters()
        if name.startswith(LAST.get(kind, "encoder.layer.1.")) or name in ABOVE.get(kind, ())
    }
    assert len(expected) > 4
    assert trained(encoder) == expected
    assert len(trained(make())) == len(list(encoder.parameters()))
    input_ = subword_input(pretrained_folder(kind))
    states_of(encoder, input_, SENTENCES).sum().backward()
    assert {n for n, p in encoder.named_parameters() if p.grad is not None} == expected


def test_layers_that_share_their_weights_are_trained_together(pretrained_folder):
    with pytest.raises(ValueError, match="share their weights: type trainable=all"):
        TransformerEncoder(0, pretrained_folder("albert"), "top_1")
    assert trained(TransformerEncoder(0, pretrained_folder("albert")))


def test_top_of_all_layers_leaves_the_embeddings(pretrained_folder):
    encoder = TransformerEncoder(0, pretrained_folder(), "top_2")
    assert not any("embeddings" in name for name in trained(encoder))
    assert any("layer.0" in name for name in trained(encoder))


def test_a_model_that_is_not_trained_drops_nothing(pretrained_folder):
    encoder = TransformerEncoder(0, pretrained_folder(), "none", dropout=0.5)
    encoder.train()
    assert trained(encoder) == set()
    input_ = subword_input(pretrained_folder())
    first, second = (states_of(encoder, input_, SENTENCES) for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad


@pytest.mark.parametrize("trainable", ["top_3", "top_9"])
def test_there_are_no_more_layers_than_there_are(trainable, pretrained_folder):
    with pytest.raises(ValueError, match=f"trainable is '{trainable}'; the model has 2 layers"):
        TransformerEncoder(0, pretrained_folder(), trainable)


@pytest.mark.parametrize("trainable", ["", "top", "top_0", "top_-1", "some", "ALL"])
def test_what_is_trained_is_one_of_three(trainable, pretrained_folder):
    with pytest.raises(ValueError, match="it is all, none or top_<k>"):
        TransformerEncoder(0, pretrained_folder(), trainable)
