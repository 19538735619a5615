"""A masked language model: what is hidden, from what it is told, and that it can be kept."""

from functools import partial

import numpy as np
import pytest
import torch

from mtl_bench.models.encoders.transformer import TransformerEncoder
from mtl_bench.models.heads.masked_language_model import _masked
from mtl_bench.models.inputs.subwords import SubwordInput
from mtl_bench.models.optimizers.adamw import WarmupAdamW
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.weights import Kept, load_taggers, save_tagger
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.language_model import FrequentWords, LanguageModel
from mtl_bench.text.contextual import SubwordEmbeddings
from tests.unit.models.test_finetuned import SENTENCES

FREQUENT = FrequentWords.of(SENTENCES, 20)


@pytest.fixture
def tagger(pretrained_folder):
    folder = pretrained_folder()
    torch.manual_seed(0)
    input_ = SubwordInput.build(SubwordEmbeddings(folder), {}, lowercase=True, seed=0)
    fitted = Fitted(LanguageModel(head=LanguageModel.masked_head), FREQUENT)
    encoder = partial(TransformerEncoder, model=folder)
    return Tagger(input_, encoder, {"lm": fitted}, partial(WarmupAdamW, lr=0.01))


def a_batch(tagger):
    split = tagger.input.encode(SENTENCES).with_targets(FREQUENT.encode(SENTENCES), "word")
    return tagger.input.collate("lm", split, np.arange(len(SENTENCES)))


def test_all_sub_words_of_hidden_words_are_masked_and_no_others(tagger):
    one = a_batch(tagger)
    prepared = tagger.head("lm").eval().prepare(one)
    mask = tagger.input.subwords.mask
    rows = one.rows_of_words().tolist()
    words = [word for sentence in SENTENCES for word in sentence]
    pieces = dict(zip(words, tagger.input.subwords.split(words), strict=True))
    hidden = [words[rows.index(row)] for row in prepared.source.hidden.tolist()]
    count = sum(int((ids == mask).sum()) for ids in prepared.source.ids)
    assert count == sum(len(pieces[word]) for word in hidden) > 0
    changed = sum(
        int((a != b).sum()) for a, b in zip(one.source.ids, prepared.source.ids, strict=True)
    )
    assert changed == count


def test_what_a_window_repeats_is_not_masked(tagger):
    subwords = tagger.input.subwords
    subwords.size, sentence = 12, [f"w{n}" for n in range(14)]
    split = tagger.input.encode([sentence]).with_targets(FREQUENT.encode([sentence]), "word")
    one = tagger.input.collate("lm", split, np.arange(1))
    pieces = [len(each) for each in subwords.split(sentence)]
    assert sum(len(ids) for ids in one.source.ids) > 1
    for word, row in enumerate(one.rows_of_words().tolist()):
        masked = _masked(one, torch.tensor([row])).ids
        pairs = zip(masked, one.source.ids, strict=True)
        assert sum(int((a != b).sum()) for a, b in pairs) == pieces[word]


def test_an_evaluation_hides_the_same_words_and_training_others(tagger):
    one, head = a_batch(tagger), tagger.head("lm")
    first, second = (head.eval().prepare(one).source.hidden.tolist() for _ in range(2))
    assert first == second
    drawn = {tuple(head.train().prepare(one).source.hidden.tolist()) for _ in range(10)}
    assert len(drawn) > 1


def test_it_learns_and_is_kept(tagger, tmp_path):
    optimizer = tagger.configure_optimizers()
    one = a_batch(tagger)
    tagger.train()
    losses = [float(tagger.take_step(optimizer, step, [one])) for step in range(60)]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    save_tagger(tmp_path / "tagger", tagger, {"lm": Kept(60, tagger.trained_weights())}, "lm")
    loaded = load_taggers(tmp_path / "tagger")[0]["lm"]
    tagger.eval()
    torch.testing.assert_close(loaded.loss(one), tagger.loss(one))
