"""The two-direction loop is nn.LSTM, in values and gradients."""

import copy

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

from mtl_bench.models import kernels
from mtl_bench.models.encoders.bilstm import BiLSTM
from tests.unit.models._inputs import batch

LENGTHS = [[1], [3, 3], [7, 2, 5, 5, 1], [12, 1, 1, 1], list(range(1, 33))]


def states_of(model, vectors, one, fast):
    """The states by the loop under test, or by torch."""
    if fast:
        return kernels.bilstm(vectors, model.lstm, one)
    return model.lstm(PackedSequence(vectors[one.words], one.sizes))[0].data


@pytest.mark.parametrize("lengths", LENGTHS)
def test_values_and_gradients_equal_nn_lstm_in_float64(lengths, loops):
    torch.manual_seed(0)
    model = BiLSTM(6, 5, forget_bias=1.0).double()
    one = batch(lengths)
    inputs = torch.randn(len(one.rows), 6, dtype=torch.float64)
    outer = torch.randn(len(one), 10, dtype=torch.float64)
    results = {}
    for fast in (True, False):
        model.zero_grad()
        leaf = inputs.clone().requires_grad_()
        states = states_of(model, leaf, one, fast)
        states.backward(outer)
        trained = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
        results[fast] = {"states": states.detach(), "inputs": leaf.grad, **trained}
    assert results[True].keys() == results[False].keys()
    assert len(results[True]) == 8
    for name, value in results[True].items():
        torch.testing.assert_close(value, results[False][name], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dim", [1, 4, 17, 100])
@pytest.mark.parametrize("hidden", [1, 3, 20, 21, 100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sizes_that_fit_registers_or_not_equal_nn_lstm(dim, hidden, dtype, loops):
    torch.manual_seed(0)
    model = BiLSTM(dim, hidden, forget_bias=1.0).to(dtype)
    one = batch([40, 40, 17, 9, 8, 7, 3, 1, 1, *[5] * 12])
    inputs = torch.randn(len(one.rows), dim, dtype=dtype)
    outer = torch.randn(len(one), 2 * hidden, dtype=dtype)
    results = []
    for fast in (True, False):
        model.zero_grad()
        leaf = inputs.clone().requires_grad_()
        states = states_of(model, leaf, one, fast)
        states.backward(outer)
        gradients = [p.grad for p in model.parameters() if p.requires_grad]
        results.append([states.detach(), leaf.grad, *gradients])
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    for ours, torchs in zip(*results, strict=True):
        scale = torchs.abs().max().item()
        torch.testing.assert_close(ours, torchs, rtol=0, atol=tolerance * scale)


def test_a_weight_that_is_no_number_shows_in_all_states(loops):
    """Or a run that diverges would train on."""
    torch.manual_seed(0)
    model = BiLSTM(6, 20, forget_bias=1.0)
    one = batch([5, 3])
    with torch.no_grad():
        model.lstm.weight_ih_l0[3, 2] = float("nan")
    states = kernels.bilstm(torch.randn(len(one.rows), 6), model.lstm, one)
    assert states[:, 3].isnan().all()
    assert states[one.sizes[0] :, :20].isnan().all()
    assert states[:, 20:].isfinite().all()


@pytest.mark.parametrize("lengths", LENGTHS)
def test_frozen_vectors_leave_the_gradients_of_the_weights_as_they_are(lengths, loops):
    """Their own gradient, which nobody wants, is not computed."""
    torch.manual_seed(0)
    model = BiLSTM(6, 5, forget_bias=1.0).double()
    one = batch(lengths)
    vectors = torch.randn(len(one.rows), 6, dtype=torch.float64)
    outer = torch.randn(len(one), 10, dtype=torch.float64)
    results = {}
    for fast in (True, False):
        model.zero_grad()
        states = states_of(model, vectors, one, fast)
        states.backward(outer)
        trained = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
        results[fast] = {"states": states.detach(), **trained}
    assert vectors.grad is None
    assert len(results[True]) == 7
    for name, value in results[True].items():
        torch.testing.assert_close(value, results[False][name], rtol=1e-10, atol=1e-10)


def test_frozen_and_trained_vectors_give_weights_the_same_gradient_to_the_bit(loops):
    torch.manual_seed(0)
    model = BiLSTM(8, 6, forget_bias=1.0)
    one = batch([7, 2, 5, 5, 1])
    vectors = torch.randn(len(one.rows), 8)
    found = []
    for trained in (False, True):
        model.zero_grad()
        model(vectors.clone().requires_grad_(trained), one).square().sum().backward()
        found.append([p.grad for p in model.parameters() if p.requires_grad])
    for frozen, other in zip(*found, strict=True):
        assert torch.equal(frozen, other)


def test_the_gradient_is_that_of_finite_differences(loops):
    torch.manual_seed(0)
    model = BiLSTM(3, 2, forget_bias=1.0).double()
    one = batch([4, 2, 1])
    inputs = torch.randn(len(one.rows), 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: model(x, one), inputs)


def test_a_sentence_does_not_feel_its_neighbours():
    model = BiLSTM(4, 3, forget_bias=1.0)
    alone, together = batch([3]), batch([3, 9, 1])
    table = torch.randn(50, 4)
    states = model(table[together.rows], together)[together.order[:3]]
    torch.testing.assert_close(model(table[alone.rows], alone), states)


def test_start_values_and_the_silent_second_bias():
    model = BiLSTM(4, 3, forget_bias=1.0)
    assert model.lstm.bias_ih_l0.tolist() == [0.0] * 3 + [1.0] * 3 + [0.0] * 6
    assert not model.lstm.bias_hh_l0.requires_grad
    assert not model.lstm.bias_hh_l0.any()


def test_no_units_are_refused():
    with pytest.raises(ValueError, match="hidden_size is 0"):
        BiLSTM(4, 0, forget_bias=1.0)


@pytest.mark.parametrize("hidden", [3, 16, 17])
def test_large_inputs_saturate_and_stay_numbers(hidden, loops):
    torch.manual_seed(0)
    model = BiLSTM(4, hidden, forget_bias=1.0)
    one = batch([60, 3, 1])
    inputs = 1000 * torch.randn(len(one.rows), 4)
    results = {}
    for fast in (True, False):
        leaf = inputs.clone().requires_grad_()
        states = states_of(model, leaf, one, fast)
        states.square().sum().backward()
        results[fast] = states.detach(), leaf.grad
    torch.testing.assert_close(results[True], results[False], rtol=1e-4, atol=1e-4)


def test_a_copy_does_what_the_original_does(loops):
    model = BiLSTM(4, 3, forget_bias=1.0)
    one = batch([3, 2])
    vectors = torch.randn(len(one.rows), 4)
    assert torch.equal(copy.deepcopy(model)(vectors, one), model(vectors, one))
