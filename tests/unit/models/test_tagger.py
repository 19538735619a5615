"""The model: shared parts, heads, loss, and what does not matter to it."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.optimizers.lazy_adadelta import LazyAdadelta
from mtl_bench.models.tagger import Dropout, Tagger
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.tagging import Tagging
from tests.unit.models._inputs import batch, split, tagging, word_input

ENCODER = partial(BiLSTM, hidden_size=6, forget_bias=1.0)


LAZY = partial(LazyAdadelta, lr=1.0)


def tagger(tasks=("a", "b"), optimizer=LAZY, dropout=None):
    torch.manual_seed(0)
    tasks = {task: tagging() for task in tasks}
    model = Tagger(word_input(), ENCODER, tasks, optimizer, dropout).double()
    return model, model.configure_optimizers()


def train(model, optimizer, steps=30):
    losses = []
    for step in range(steps):
        one = batch([5, 3, 2, 7], task=list(model.tasks)[step % len(model.tasks)], seed=step)
        optimizer.zero_grad()
        loss = model.loss(one)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_the_loss_is_a_mean_over_words_then_over_sentences():
    model, _ = tagger()
    one = batch([4, 1], task="a")
    losses = F.cross_entropy(model(one), one.targets, reduction="none")[one.order]
    expected = (losses[:4].mean() + losses[4:].mean()) / 2
    torch.testing.assert_close(model.loss(one), expected)


@pytest.mark.parametrize("other", [torch.optim.Adadelta, torch.optim.Adam])
def test_sparse_and_dense_gradients_are_the_same(other):
    model, _ = tagger()
    one = batch([5, 3], task="a")
    model.loss(one).backward()
    sparse = model.input.table.grad.to_dense()
    dense_model, _ = tagger(optimizer=partial(other, lr=0.1))
    dense_model.loss(one).backward()
    assert not dense_model.input.table.grad.is_sparse
    torch.testing.assert_close(dense_model.input.table.grad, sparse)


def test_the_lazy_optimiser_trains_as_torchs_dense_one():
    ours = train(*tagger(optimizer=partial(LazyAdadelta, lr=1.0)))
    theirs = train(*tagger(optimizer=partial(torch.optim.Adadelta, lr=1.0, rho=0.95, eps=1e-8)))
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@pytest.mark.parametrize("make", [torch.optim.Adam, torch.optim.SGD, torch.optim.Adagrad])
def test_any_torch_optimizer_trains(make):
    model, optimizer = tagger(optimizer=partial(make, lr=0.1))
    one = batch([5, 3, 2, 7], task="a")
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        losses.append(model.loss(one))
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0] - 0.05


def test_the_order_of_tasks_does_not_matter():
    assert train(*tagger(("a", "b"))) == train(*tagger(("b", "a")))


def test_a_step_on_one_task_leaves_the_other_head_alone():
    model, optimizer = tagger()
    before = model.head("b").output.weight.clone()
    optimizer.zero_grad()
    model.loss(batch([5, 3], task="a")).backward()
    optimizer.step()
    assert torch.equal(model.head("b").output.weight, before)


def test_task_names_may_be_names_of_methods():
    model, _ = tagger(("keys", "type"))
    assert model(batch([2], task="keys")).shape == (2, 5)


def test_boundary_symbols_carry_loss_but_never_count():
    model, _ = tagger(("a",))
    one = batch([6, 4], task="a", labels=3)
    model.validation_step(one)
    model.on_validation_epoch_end()
    assert model.evaluated["a"].keys() >= {"loss", "f1", "accuracy", "unseen_labels"}
    model.validation_step(one)
    assert model.scorers["a"].tokens.tokens == 6 + 4 - 2 * 2


def test_an_evaluation_whose_loss_is_no_number_is_an_error():
    model, _ = tagger()
    with torch.no_grad():
        model.head("a").output.bias.fill_(float("nan"))
    model.validation_step(batch([3, 2], task="a"))
    model.validation_step(batch([3, 2], task="b"))
    with pytest.raises(FloatingPointError, match=r"task 'a' is nan.*optimizer\.lr"):
        model.on_validation_epoch_end()


def test_balanced_weights_give_every_label_the_same_share():
    model, _ = tagger()
    targets = split([50, 50], labels=5).targets
    model.head("a").balance(targets)
    counts = np.bincount(targets, minlength=5)
    np.testing.assert_allclose(model.head("a").label_weights.numpy() * counts, 100 / 5, rtol=1e-6)
    one = batch([4, 4], task="a")
    shares = model.head("a").label_weights[one.targets] * one.weights
    losses = F.cross_entropy(model(one), one.targets, reduction="none")
    torch.testing.assert_close(model.loss(one), losses @ shares)


def test_the_loss_over_positions_is_that_of_a_padded_batch():
    model, _ = tagger()
    head = model.head("a")
    head.pad(9)
    head.draw_bias()
    head.double()
    one = batch([4, 7], task="a")
    states = torch.zeros(2 * 9, model.encoder.size, dtype=torch.float64)
    states[: len(one)] = model.states(one)
    layers = (head.output, head.padding)
    logits = torch.cat([layer(states) for layer in layers], 1)
    targets = torch.full((2 * 9,), len(head.labels))
    targets[: len(one)] = one.targets
    torch.testing.assert_close(model.loss(one), F.cross_entropy(logits, targets))


def test_a_label_for_padding_is_never_predicted():
    model, _ = tagger()
    head = model.head("a")
    head.pad(9)
    with torch.no_grad():
        head.padding.bias.fill_(100.0)
    model.double().eval()
    model.validation_step(batch([4, 7], task="a"))
    model.on_validation_epoch_end()
    assert model.evaluated["a"]["loss"] < 10


def test_a_drawn_bias_has_the_bounds_of_glorot():
    model, _ = tagger()
    head = model.head("a")
    head.draw_bias()
    bound = (6 / (1 + len(head.labels))) ** 0.5
    assert head.output.bias.abs().min() > 0
    assert bound / 2 < head.output.bias.abs().max() <= bound


def test_dropout_is_drawn_from_seed_and_step():
    def loss(seed, step):
        torch.manual_seed(0)
        model, _ = tagger(dropout=Dropout(0.5, seed))
        model.train()
        torch.rand(step + seed)  # whatever was drawn before
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return model.take_step(optimizer, step, [batch([5, 3], task="a")]).item()

    assert loss(1, 7) == loss(1, 7)
    assert len({loss(1, 7), loss(1, 8), loss(2, 7)}) == 3


def test_a_share_of_dropout_is_below_one():
    with pytest.raises(ValueError, match="dropout is 1"):
        Dropout(1)


def test_a_loss_without_any_target_is_zero_and_evaluations_start_anew():
    model, _ = tagger(("a",))
    one = batch([3, 2], task="a")
    one.targets[:] = -1
    model.validation_step(one)
    model.on_validation_epoch_end()
    assert model.evaluated["a"]["loss"] == 0
    assert model.evaluated["a"]["unseen_labels"] == 1
    model.validation_step(batch([3, 2], task="a"))
    model.on_validation_epoch_end()
    assert model.evaluated["a"]["unseen_labels"] == 0
    model.on_validation_epoch_end()
    assert model.evaluated == {}


def test_a_type_without_a_head_is_refused():
    tasks = {"a": Fitted(Tagging(), tagging().targets)}
    with pytest.raises(ValueError, match="the type of task 'a' names no head"):
        Tagger(word_input(), ENCODER, tasks, LAZY)
    tasks = {"a": Fitted(Tagging(head="no_such_module.Head"), tagging().targets)}
    with pytest.raises(ValueError, match="the head of task 'a' cannot be imported"):
        Tagger(word_input(), ENCODER, tasks, LAZY)


def test_losses_are_added_up_in_double_precision_wherever_the_module_was_moved():
    model, _ = tagger(("a",))
    model = model.float().to("cpu")  # as Lightning moves it
    one = batch([6, 4], task="a", labels=3)
    for _ in range(3):
        model.validation_step(one)
    losses = model.head("a").evaluate(model(one), one).losses.double()
    model.on_validation_epoch_end()
    assert model.evaluated["a"]["loss"] == pytest.approx(losses.mean().item(), rel=1e-14)
