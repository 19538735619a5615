"""A tagger that holds a transformer is kept whole, and needs no other folder afterwards."""

import json
import shutil
from functools import partial

import numpy as np
import pytest
import torch

from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.encoders.transformer import TransformerEncoder
from mtl_bench.models.inputs.batches import Chunk, collate
from mtl_bench.models.inputs.subwords import SubwordInput
from mtl_bench.models.optimizers.adamw import WarmupAdamW
from mtl_bench.models.optimizers.lazy_adadelta import LazyAdadelta
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.weights import Kept, load_taggers, save_tagger
from mtl_bench.text.contextual import SubwordEmbeddings
from tests import tiny_models
from tests.unit.models._inputs import batch, split, tagging, word_input

SENTENCES = [
    ("The", "quick", "brown", "fox", "jumps", "!"),
    ("Unbelievable", "Zürich", "naturally", "1234"),
    ("words", "split", "into", "letters", "naturally", "."),
    ("a", "b", "c", "d"),
]


def finetuned(folder, tasks=("t",), **options):
    torch.manual_seed(0)
    input_ = SubwordInput.build(SubwordEmbeddings(folder), {}, lowercase=True, seed=0)
    encoder = partial(TransformerEncoder, model=folder, **options)
    optimizer = partial(WarmupAdamW, lr=0.01)
    return Tagger(input_, encoder, {task: tagging() for task in tasks}, optimizer)


def outputs(tagger, task="t"):
    split = tagger.input.encode(SENTENCES)
    one = tagger.input.collate(task, split, np.arange(len(SENTENCES)))
    with torch.no_grad():
        return tagger(one)


def labelled(tagger, chosen, task="t"):
    split = tagger.input.encode(SENTENCES)
    targets = np.arange(len(split.words)) % 3
    split = split.with_targets(targets, "word")
    return tagger.input.collate(task, split, np.array(chosen))


def train(tagger, steps=3):
    optimizer = tagger.configure_optimizers()
    for _ in range(steps):
        optimizer.zero_grad()
        tagger.loss(labelled(tagger, [0, 1, 2, 3])).backward()
        optimizer.step()


@pytest.mark.parametrize("kind", tiny_models.MODELS)
def test_a_tagger_is_the_same_after_it_was_saved(kind, tmp_path):
    tiny_models.save_model(tmp_path / "model", kind)
    tagger = finetuned(str(tmp_path / "model"))
    before = outputs(tagger.eval())
    tagger.train()
    train(tagger)
    expected = outputs(tagger.eval())
    assert not torch.equal(before, expected)
    save_tagger(tmp_path / "tagger", tagger, {"t": Kept(3, tagger.trained_weights())}, "t")
    shutil.rmtree(tmp_path / "model")
    taggers, main = load_taggers(tmp_path / "tagger")
    assert main == "t"
    assert torch.equal(outputs(taggers["t"]), expected)
    assert not any(module.training for module in taggers["t"].modules())


@pytest.mark.parametrize("trainable", ["top_1", "none"])
def test_what_was_not_trained_is_kept_as_well(trainable, tmp_path):
    tiny_models.save_model(tmp_path / "model")
    tagger = finetuned(str(tmp_path / "model"), trainable=trainable, gradient_checkpointing=True)
    train(tagger)
    assert len(tagger.trained_weights()) < len(list(tagger.parameters()))
    expected = outputs(tagger.eval())
    save_tagger(tmp_path / "tagger", tagger, {"t": Kept(3, tagger.trained_weights())}, "t")
    shutil.rmtree(tmp_path / "model")
    assert torch.equal(outputs(load_taggers(tmp_path / "tagger")[0]["t"]), expected)


def test_each_task_has_the_weights_that_it_kept(tmp_path):
    tiny_models.save_model(tmp_path / "model")
    tagger = finetuned(str(tmp_path / "model"), ("t", "u"), dropout=0.0)
    kept, expected = {}, {}
    for step, task in enumerate(("t", "u")):
        train(tagger, 1)
        weights = {name: weight.clone() for name, weight in tagger.trained_weights().items()}
        kept[task], expected[task] = Kept(step, weights), outputs(tagger.eval(), task)
        tagger.train()
    train(tagger)  # what is kept does not follow
    save_tagger(tmp_path / "tagger", tagger, kept, "u")
    taggers, main = load_taggers(tmp_path / "tagger")
    assert main == "u"
    for task in ("t", "u"):
        assert torch.equal(outputs(taggers[task], task), expected[task])


def test_weights_of_half_precision_are_read_as_whole_ones(tmp_path):
    tiny_models.save_model(tmp_path / "model", dtype=torch.bfloat16)
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["dtype"] == "bfloat16"
    tagger = finetuned(str(tmp_path / "model")).eval()
    assert {p.dtype for p in tagger.parameters()} == {torch.float32}
    save_tagger(tmp_path / "tagger", tagger, {"t": Kept(0, tagger.trained_weights())}, "t")
    loaded = load_taggers(tmp_path / "tagger")[0]["t"]
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert torch.equal(outputs(loaded), outputs(tagger))


def test_what_is_kept_names_no_folder_of_this_machine(tmp_path):
    tiny_models.save_model(tmp_path / "model")
    tagger = finetuned(str(tmp_path / "model"))
    save_tagger(tmp_path / "tagger", tagger, {"t": Kept(0, tagger.trained_weights())}, "t")
    assert str(tmp_path) not in (tmp_path / "tagger" / "tagger.json").read_text()


def gradient(tagger, parts):
    """The gradient of one training step, whose batch comes in parts."""
    tagger.configure_optimizers()
    found = {}

    class Watch(torch.optim.SGD):
        def step(self, closure=None):
            for name, p in tagger.named_parameters():
                if p.grad is not None:
                    found[name] = p.grad.to_dense().clone()

    tagger.optimizers = lambda use_pl_optimizer: Watch(tagger.parameters())
    losses = tagger.training_step(Chunk(range(1), [parts], last_of_interval=True), 0)["losses"]
    return losses, found


def assert_same_gradient(tagger, whole, parts):
    expected_loss, expected = gradient(tagger, [whole])
    loss, found = gradient(tagger, parts)
    torch.testing.assert_close(loss, expected_loss)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], rtol=1e-9, atol=1e-12)


def test_the_parts_of_a_batch_have_the_gradient_of_the_whole(pretrained_folder):
    tagger = finetuned(pretrained_folder(), dropout=0.0).double()
    whole, parts = labelled(tagger, [0, 1, 2, 3]), [[3, 0], [2, 1]]
    assert_same_gradient(tagger, whole, [labelled(tagger, part) for part in parts])


def of_words():
    """A tagger of word vectors, whose gradient is sparse."""
    torch.manual_seed(0)
    encoder = partial(BiLSTM, hidden_size=6, forget_bias=1.0)
    return Tagger(word_input(), encoder, {"t": tagging()}, partial(LazyAdadelta, lr=1.0))


@pytest.mark.parametrize("balanced", [False, True])
def test_so_have_the_parts_of_a_batch_of_word_vectors(balanced):
    tagger = of_words().double()
    sentences = split([4, 4, 3, 6], labels=3)
    if balanced:
        tagger.head("t").balance(sentences.targets)
    chosen = [np.arange(4), np.array([3, 0]), np.array([1, 2])]
    assert_same_gradient(tagger, *split_batches(sentences, chosen))


def split_batches(sentences, chosen):
    """A batch, and the parts of it."""
    whole, *parts = (collate("t", sentences, numbers) for numbers in chosen)
    return whole, parts


def test_the_optimizer_takes_a_sparse_gradient_of_several_parts():
    tagger = of_words()
    optimizer = tagger.configure_optimizers()
    tagger.optimizers = lambda use_pl_optimizer: optimizer
    parts = [batch([4, 2], labels=3), batch([3, 3], labels=3, seed=1)]
    before = tagger.input.table.clone()
    tagger.training_step(Chunk(range(1), [parts], last_of_interval=True), 0)
    assert not torch.equal(tagger.input.table, before)
