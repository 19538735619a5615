"""Chains of labels: against the sum and the best of all chains, counted one by one."""

from functools import partial
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.heads.decoding import CRF, Constrained, penalties_of
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.weights import Kept, load_taggers, save_tagger
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.labels import Labels
from mtl_bench.tasks.types.spans import SCHEMES, SpanScheme
from mtl_bench.tasks.types.tagging import Tagging
from tests.unit.models._inputs import batch, word_input

LENGTHS = torch.tensor([3, 1, 4])


def a_crf(count=3, penalties=None):
    torch.manual_seed(1)
    crf = CRF(count, penalties).double()
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.normal_()
    return crf


def score(crf, logits, chain):
    """Return the score of a chain of one sentence."""
    total = crf.first[chain[0]] + crf.last[chain[-1]]
    total = total + sum(logits[place, label] for place, label in enumerate(chain))
    return total + sum(crf.between[i, j] for i, j in pairwise(chain))


def every_chain(crf, logits):
    chains = list(product(range(logits.shape[1]), repeat=len(logits)))
    return chains, torch.stack([score(crf, logits, chain) for chain in chains])


def test_likelihood_best_chain_and_marginals_are_those_of_all_chains():
    crf, logits = a_crf(), torch.randn(8, 3, dtype=torch.float64)
    gold = torch.tensor([0, 2, 1, 1, 2, 2, 0, 1])
    likelihoods = crf.negative_log_likelihoods(logits, gold, LENGTHS)
    best = crf.best(logits, LENGTHS).tolist()
    marginals = crf.probabilities(logits, LENGTHS)
    start = 0
    for number, length in enumerate(LENGTHS.tolist()):
        part = slice(start, start + length)
        chains, scores = every_chain(crf, logits[part])
        own = score(crf, logits[part], gold[part].tolist())
        torch.testing.assert_close(likelihoods[number], scores.logsumexp(0) - own)
        assert best[part] == list(chains[int(scores.argmax())])
        shares = scores.softmax(0)
        for place, label in product(range(length), range(3)):
            of_label = sum(s for c, s in zip(chains, shares, strict=True) if c[place] == label)
            torch.testing.assert_close(marginals[start + place, label], of_label)
        start += length


def test_the_gradient_is_that_of_the_likelihood():
    crf, logits = a_crf(), torch.randn(8, 3, dtype=torch.float64, requires_grad=True)
    gold = torch.tensor([0, 2, 1, 1, 2, 2, 0, 1])
    assert torch.autograd.gradcheck(
        lambda x: crf.negative_log_likelihoods(x, gold, LENGTHS), logits
    )


def test_large_scores_do_not_overflow():
    crf = a_crf().float()
    logits = 300 * torch.randn(8, 3)
    gold = crf.best(logits, LENGTHS)
    losses = crf.negative_log_likelihoods(logits, gold, LENGTHS)
    assert torch.isfinite(losses).all() and (losses > -1e-3).all()


LABELS = {
    "io": ["I-x", "I-y", "O"],
    "iob1": ["I-x", "I-y", "B-x", "O"],
    "bio": ["B-x", "I-x", "B-y", "I-y", "O"],
    "bioes": [f"{letter}-{kind}" for letter in "BIES" for kind in "xy"] + ["O"],
    "bilou": [f"{letter}-{kind}" for letter in "BILU" for kind in "xy"] + ["O"],
    "bmes": [f"{letter}-{kind}" for letter in "BMES" for kind in "xy"] + ["O"],
}


def is_valid(name, chain):
    """Return whether labels follow a scheme, by a state machine of its own."""
    open_ = None
    for label in chain:
        letter, _, kind = label.partition("-")
        if name == "io":
            continue
        if name in ("bio", "iob1"):
            if name == "bio" and letter == "I" and open_ != kind:
                return False
            if name == "iob1" and letter == "B" and open_ != kind:
                return False
            open_ = None if letter == "O" else kind
        else:
            goes_on = letter in ("I", "M", "E", "L")
            if goes_on != (open_ is not None) or (goes_on and open_ != kind):
                return False
            open_ = kind if letter in ("B", "I", "M") else None
    return open_ is None or name in ("io", "bio", "iob1")


@pytest.mark.parametrize("name", SCHEMES)
def test_constrained_labels_are_the_most_probable_valid_ones(name):
    labels = LABELS[name]
    decoding = Constrained(SpanScheme(name), labels)
    logits = 2 * torch.randn(7, len(labels), generator=torch.Generator().manual_seed(3))
    lengths = torch.tensor([3, 4]) if len(labels) < 6 else torch.tensor([3, 1, 3])
    best = decoding.best(logits, lengths).tolist()
    start = 0
    for length in lengths.tolist():
        chains = [
            chain
            for chain in product(range(len(labels)), repeat=length)
            if is_valid(name, [labels[number] for number in chain])
        ]
        scores = [sum(logits[start + p, i].item() for p, i in enumerate(c)) for c in chains]
        assert tuple(best[start : start + length]) == chains[int(np.argmax(scores))]
        start += length


@settings(max_examples=50)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.integers(0, 10**6))
def test_whatever_the_logits_the_labels_of_each_sentence_are_valid(lengths, seed):
    labels = LABELS["bioes"]
    for decoding in (
        Constrained(SpanScheme("bioes"), labels),
        a_crf(len(labels), penalties_of(SpanScheme("bioes"), labels)).float(),
    ):
        generator = torch.Generator().manual_seed(seed)
        logits = 5 * torch.randn(sum(lengths), len(labels), generator=generator)
        best = [labels[n] for n in decoding.best(logits, torch.tensor(lengths)).tolist()]
        for length in lengths:
            assert is_valid("bioes", best[:length])
            best = best[length:]


def test_labels_without_a_valid_chain_are_decoded_all_the_same():
    decoding = Constrained(SpanScheme("bioes"), ["I-x", "E-x"])
    assert len(decoding.best(torch.zeros(3, 2), torch.tensor([1, 2]))) == 3


def tagger(decoding, unseen=()):
    torch.manual_seed(0)
    type_ = Tagging(None, "bio", decoding, head="mtl_bench.models.heads.tagging.TaggingHead")
    fitted = Fitted(type_, Labels(["B-x", "I-x", "O"], unseen))
    encoder = partial(BiLSTM, hidden_size=6, forget_bias=1.0)
    return Tagger(word_input(), encoder, {"a": fitted}, partial(torch.optim.Adam, lr=0.02))


@pytest.mark.parametrize("decoding", ["constrained", "crf"])
def test_a_saved_tagger_decodes_alike(tmp_path, decoding):
    model = tagger(decoding)
    optimizer = model.configure_optimizers()
    one = batch([5, 3, 4], task="a")
    one.targets = one.targets.clamp(max=2)  # words have labels of words
    losses = [float(model.take_step(optimizer, step, [one])) for step in range(40)]
    assert losses[-1] < losses[0] / 2
    save_tagger(tmp_path / "tagger", model, {"a": Kept(40, model.trained_weights())}, "a")
    loaded = load_taggers(tmp_path / "tagger")[0]["a"]
    sentences = model.input.encode([("the", "dog"), ("a", "b", "c", "d")])
    own, its = (each.tag(["a"], sentences, scores=True)["a"] for each in (model, loaded))
    assert own == its
    assert all(0 < score <= 1 for scores in own.scores for score in scores)


def test_a_crf_refuses_what_its_loss_cannot_do():
    head = tagger("crf").head("a")
    with pytest.raises(UserError, match="chains of labels"):
        head.balance(np.array([0, 1]))
    with pytest.raises(UserError, match="chains of labels"):
        head.pad(30)
    with pytest.raises(ValueError, match="greedy, constrained, crf"):
        Tagging(decoding="viterbi")
    with pytest.raises(ValueError, match="names no scheme"):
        Tagging(decoding="constrained")
