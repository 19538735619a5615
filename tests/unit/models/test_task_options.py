"""Options of single tasks: rates, weights of losses, private layers."""

from functools import partial

import pytest
import torch

from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.optimizers.adamw import WarmupAdamW
from mtl_bench.models.optimizers.lazy_adadelta import LazyAdadelta
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.task_options import LearnedWeights, TaskOptions, learning_rate
from mtl_bench.models.weights import Kept, load_taggers, save_tagger
from tests.unit.models._inputs import batch, tagging, word_input

ENCODER = partial(BiLSTM, hidden_size=6, forget_bias=1.0)
SGD = partial(torch.optim.SGD, lr=0.1)


def tagger(optimizer=SGD, **options):
    torch.manual_seed(0)
    tasks = {"a": tagging(), "b": tagging()}
    model = Tagger(word_input(), ENCODER, tasks, optimizer, options=TaskOptions(**options)).double()
    return model, model.configure_optimizers()


def change(model, optimizer, task="a"):
    """Take one step; return by how much each parameter changes."""
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    model.take_step(optimizer, 0, [batch([5, 3, 2], task=task)])
    return {name: p.detach() - before[name] for name, p in model.named_parameters()}


@pytest.mark.parametrize(
    "options", [{"rates": {"a": 0.03}}, {"loss_weights": {"a": 0.3}}], ids=["rate", "weight"]
)
def test_a_step_of_gradient_descent_is_scaled_for_the_task_alone(options):
    usual = {task: change(*tagger(), task) for task in "ab"}
    for task, factor in (("a", 0.3), ("b", 1.0)):
        for name, delta in change(*tagger(**options), task).items():
            torch.testing.assert_close(delta, factor * usual[task][name])


@pytest.mark.parametrize(
    "make",
    [
        SGD,
        partial(torch.optim.Adam, lr=0.1),
        partial(LazyAdadelta, lr=0.1),
        partial(WarmupAdamW, lr=0.1, head_lr=0.2, weight_decay=0.0, warmup_steps=4),
    ],
)
def test_every_optimizer_takes_a_rate_for_a_step_and_has_its_own_again(make):
    usual = change(*tagger(make))
    model, optimizer = tagger(make, rates={"a": 0.05})
    before = [group["lr"] for group in optimizer.param_groups]
    for name, delta in change(model, optimizer).items():
        torch.testing.assert_close(delta, usual[name] / 2)
    if make.func is not WarmupAdamW:  # whose rate is that of the last step
        assert [group["lr"] for group in optimizer.param_groups] == before
    # Later steps of another task are what they would be: no rate is left behind.
    other, its = tagger(make)
    with learning_rate(its, None):
        change(other, its)
    assert [group.get("full_lr") for group in its.param_groups] == [
        group.get("full_lr") for group in optimizer.param_groups
    ]


def test_a_learned_weight_approaches_half_of_the_inverse_loss():
    weights = LearnedWeights(2)
    optimizer = torch.optim.SGD(weights.parameters(), lr=0.1)
    for _ in range(2000):
        optimizer.zero_grad()
        weights(torch.tensor(3.0), 0).backward()
        optimizer.step()
    learned = torch.exp(-torch.stack([each.detach() for each in weights.log_variances]))
    # d/ds (exp(-s) L + s / 2) = 0 at exp(-s) = 1 / (2 L)
    torch.testing.assert_close(learned, torch.tensor([1 / 6, 1.0]), rtol=1e-3, atol=1e-3)


def test_the_reported_loss_is_not_weighted():
    plain, weighted = tagger(), tagger(loss_weights={"a": 7.0})
    one = batch([5, 3, 2], task="a")
    losses = [model.take_step(optimizer, 0, [one]) for model, optimizer in (plain, weighted)]
    torch.testing.assert_close(*losses)


def test_private_layers_are_trained_by_their_task_alone():
    model, optimizer = tagger(private_layers={"b": 2})
    moved = {name for name, delta in change(model, optimizer, "a").items() if delta.any()}
    assert not any(name.startswith("private.") for name in moved)
    moved = {name for name, delta in change(model, optimizer, "b").items() if delta.any()}
    assert {name.split(".")[3] for name in moved if name.startswith("private.")} == {"0", "1"}
    assert any(name.startswith("encoder.") for name in moved)


def test_private_layers_are_those_of_a_biLSTM_over_states():
    model, _ = tagger(private_layers={"a": 1})
    one = batch([5, 3, 2], task="a")
    layer = model.private["task_a"].layers[0]
    states = model.states(one)
    packed = torch.nn.utils.rnn.PackedSequence(states, one.sizes)
    expected = model.head("a")(layer.lstm(packed)[0].data, one)
    torch.testing.assert_close(model(one), expected)


def test_other_parameters_start_as_without_private_layers():
    plain, private = tagger()[0].state_dict(), tagger(private_layers={"a": 1})[0].state_dict()
    assert plain.keys() < private.keys()
    for name, weight in plain.items():
        torch.testing.assert_close(private[name], weight, rtol=0, atol=0)


def test_a_saved_tagger_has_its_private_layers_and_no_learned_weights(tmp_path):
    model, _ = tagger(private_layers={"a": 1}, loss_weights="uncertainty")
    weights = model.trained_weights()
    save_tagger(tmp_path / "tagger", model, {"a": Kept(3, weights), "b": Kept(4, weights)}, "a")
    loaded, _ = load_taggers(tmp_path / "tagger")
    for task in "ab":
        one = batch([5, 3, 2], task=task)
        torch.testing.assert_close(loaded[task](one), model.eval()(one))


def test_a_step_of_a_task_leaves_the_learned_weight_of_another_alone():
    model, optimizer = tagger(partial(torch.optim.Adam, lr=0.1), loss_weights="uncertainty")
    for task in "baaa":
        moved = change(model, optimizer, task)
    assert not moved["learned_weights.log_variances.1"].any()
    assert moved["learned_weights.log_variances.0"].any()
