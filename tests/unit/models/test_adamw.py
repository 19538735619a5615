"""AdamW as transformers are trained: groups, rates that follow the step, clipping, resumption."""

import io

import pytest
import torch
from torch import nn

from mtl_bench.models.optimizers.adamw import WarmupAdamW

NAMES = {
    "encoder.weight": (3, 2),
    "encoder.norm.weight": (3,),
    "encoder.bias": (3,),
    "heads.task_a.output.weight": (2, 3),
    "heads.task_a.output.bias": (2,),
}


def parameters(seed=0):
    draw = torch.Generator().manual_seed(seed)
    return {name: nn.Parameter(torch.randn(size, generator=draw)) for name, size in NAMES.items()}


def optimizer(own=None, **options):
    return WarmupAdamW((own or parameters()).items(), **({"lr": 0.1} | options))


def of(one, parameter):
    """The group of a parameter."""
    (group,) = (g for g in one.param_groups if any(p is parameter for p in g["params"]))
    return group


def step(one, own, seed):
    draw = torch.Generator().manual_seed(seed)
    for parameter in own.values():
        parameter.grad = torch.randn(parameter.shape, generator=draw)
    one.step()


def test_heads_have_their_own_rate_and_what_has_one_dimension_does_not_decay():
    own = parameters()
    one = optimizer(own, lr=0.1, head_lr=0.7, weight_decay=0.05)
    groups = {name: of(one, parameter) for name, parameter in own.items()}
    assert {name: g["lr"] for name, g in groups.items()} == {
        name: 0.7 if name.startswith("heads.") else 0.1 for name in NAMES
    }
    assert {name: g["weight_decay"] for name, g in groups.items()} == {
        name: 0.05 if len(size) == 2 else 0.0 for name, size in NAMES.items()
    }
    assert len(one.param_groups) == 4


def test_without_a_rate_of_their_own_heads_have_that_of_the_others():
    assert {group["lr"] for group in optimizer().param_groups} == {0.1}


@pytest.mark.parametrize(
    ("options", "factors"),
    [
        ({}, [1, 1, 1, 1, 1]),
        ({"warmup_steps": 4}, [0.25, 0.5, 0.75, 1, 1]),
        ({"warmup_steps": 1}, [1, 1, 1, 1, 1]),
        ({"decay_steps": 4}, [0.75, 0.5, 0.25, 0, 0]),
        ({"warmup_steps": 2, "decay_steps": 6}, [0.5, 1, 0.75, 0.5, 0.25, 0, 0]),
    ],
)
def test_rates_follow_the_step(options, factors):
    own = parameters()
    one = optimizer(own, lr=0.1, head_lr=0.2, **options)
    for number, factor in enumerate(factors, start=1):
        step(one, own, number)
        assert of(one, own["encoder.bias"])["lr"] == pytest.approx(0.1 * factor)
        assert of(one, own["heads.task_a.output.bias"])["lr"] == pytest.approx(0.2 * factor)


def test_a_step_is_that_of_torch_at_the_rate_of_the_step():
    own, others = parameters(), parameters()
    one = optimizer(own, warmup_steps=2, head_lr=0.3, weight_decay=0.1, max_norm=None)
    for number in (1, 2, 3):
        step(one, own, number)
    theirs = [
        torch.optim.AdamW([p], lr=0.0, weight_decay=0.1 if p.ndim > 1 else 0.0)
        for p in others.values()
    ]
    for number, factor in ((1, 0.5), (2, 1), (3, 1)):
        draw = torch.Generator().manual_seed(number)
        for (name, p), torchs in zip(others.items(), theirs, strict=True):
            p.grad = torch.randn(p.shape, generator=draw)
            rate = 0.3 if name.startswith("heads.") else 0.1
            torchs.param_groups[0]["lr"] = rate * factor
            torchs.step()
    for name, p in own.items():
        torch.testing.assert_close(p, others[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 1e6])
def test_the_gradient_of_all_together_is_clipped_as_torch_clips(max_norm):
    own, others = parameters(), parameters()
    one = optimizer(own, max_norm=max_norm)
    step(one, own, 5)
    draw = torch.Generator().manual_seed(5)
    for p in others.values():
        p.grad = torch.randn(p.shape, generator=draw)
    nn.utils.clip_grad_norm_(others.values(), max_norm)
    for name, p in own.items():
        torch.testing.assert_close(p.grad, others[name].grad)


def test_parameters_without_a_gradient_stay_as_they_are():
    own = parameters()
    before = own["heads.task_a.output.weight"].clone()
    one = optimizer(own)
    own["encoder.weight"].grad = torch.ones(3, 2)
    one.step()
    assert torch.equal(own["heads.task_a.output.weight"], before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_resumed_one_goes_on_to_the_same_bits(dtype):
    options = {"warmup_steps": 3, "decay_steps": 9, "head_lr": 0.2}
    own = {name: nn.Parameter(p.to(dtype)) for name, p in parameters().items()}
    one = optimizer(own, **options)
    for number in range(4):
        draw = torch.Generator().manual_seed(number)
        for p in own.values():
            p.grad = torch.randn(p.shape, generator=draw, dtype=dtype)
        one.step()
    saved = io.BytesIO()
    torch.save({"optimizer": one.state_dict(), "own": own}, saved)
    saved.seek(0)
    state = torch.load(saved, weights_only=True)
    others = {name: nn.Parameter(p.detach().clone()) for name, p in state["own"].items()}
    again = optimizer(others, **options)
    again.load_state_dict(state["optimizer"])
    assert {group["steps"] for group in again.param_groups} == {4}
    for number in range(4, 8):
        for each, params in ((one, own), (again, others)):
            draw = torch.Generator().manual_seed(number)
            for p in params.values():
                p.grad = torch.randn(p.shape, generator=draw, dtype=dtype)
            each.step()
    for name, p in own.items():
        assert torch.equal(p, others[name])
    assert [g["lr"] for g in one.param_groups] == [g["lr"] for g in again.param_groups]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0.0}, "lr is 0.0; it is a number above 0"),
        ({"betas": 0.9}, "betas is 0.9; it is two numbers"),
        ({"warmup_steps": "x"}, "warmup_steps is 'x'; it is a whole number from 0"),
        ({"max_norm": True}, "max_norm is True; it is a number above 0, or null"),
        ({"lr": -1.0}, "lr is -1.0; it is a number above 0"),
        ({"head_lr": 0.0}, "head_lr is 0.0; it is a number above 0, or null"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1; it is a number from 0"),
        ({"warmup_steps": -1}, "warmup_steps is -1; it is a whole number from 0"),
        ({"decay_steps": 0}, "is 0; it is a whole number above warmup_steps, which is 0, or null"),
        (
            {"warmup_steps": 5, "decay_steps": 5},
            "is 5; it is a whole number above warmup_steps, which is 5",
        ),
        ({"max_norm": 0.0}, "max_norm is 0.0; it is a number above 0, or null"),
        ({"betas": [0.9]}, r"betas is \[0.9\]; it is two numbers from 0 to below 1"),
        ({"betas": [0.9, 0.99, 0.999]}, "betas is .*; it is two numbers from 0 to below 1"),
        ({"betas": [0.9, 1.0]}, "betas is .*; it is two numbers from 0 to below 1"),
        ({"eps": 0.0}, "eps is 0.0; it is a number above 0"),
    ],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(ValueError, match=message):
        optimizer(**options)


def test_betas_may_be_chosen():
    assert {group["betas"] for group in optimizer(betas=[0.8, 0.9]).param_groups} == {(0.8, 0.9)}
    assert {group["betas"] for group in optimizer().param_groups} == {(0.9, 0.999)}
