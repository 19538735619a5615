"""The lazy optimiser is torch.optim.Adadelta, exactly."""

import pytest
import torch

from mtl_bench.models.optimizers.lazy_adadelta import LazyAdadelta


def gradients(steps, rows=40, width=3, seed=0):
    """Sparse gradients whose rows come and go: some often, some once, one never."""
    torch.manual_seed(seed)
    for step in range(steps):
        active = torch.rand(rows) < torch.linspace(0, 0.6, rows)
        active[1] = step == steps // 3
        chosen = active.nonzero().squeeze(1)
        yield chosen, torch.randn(len(chosen), width, dtype=torch.float64)


@pytest.mark.parametrize(("lr", "rho"), [(0.7, 0.95), (1, 0.5), (0.7, 0)])
def test_rows_that_come_and_go_end_where_the_dense_optimiser_takes_them(lr, rho, loops):
    start = torch.randn(40, 3, dtype=torch.float64)
    lazy, dense = (torch.nn.Parameter(start.clone()) for _ in range(2))
    options = {"lr": lr, "rho": rho, "eps": 1e-8}
    ours, theirs = (
        LazyAdadelta([lazy], **options),
        torch.optim.Adadelta([dense], **options),
    )
    for rows, values in gradients(500):
        lazy.grad = torch.sparse_coo_tensor(rows[None], values, lazy.shape)
        dense.grad = torch.zeros_like(dense).index_copy_(0, rows, values)
        ours.step()
        theirs.step()
    assert torch.equal(lazy[0], start[0])
    torch.testing.assert_close(lazy, dense, rtol=1e-12, atol=1e-12)


def test_dense_parameters_go_where_torchs_optimiser_takes_them(loops):
    torch.manual_seed(0)
    shapes = [(4, 3), (5,), ()]
    pairs = [[torch.nn.Parameter(torch.ones(s, dtype=torch.float64)) for s in shapes] for _ in "ab"]
    ours = LazyAdadelta(pairs[0], lr=0.3)
    theirs = torch.optim.Adadelta(pairs[1], lr=0.3, rho=0.95, eps=1e-8)
    for step in range(200):
        for one, other in zip(*pairs, strict=True):
            # A parameter without a gradient, such as another task's head, stays as it is.
            used = one.dim() != 1 or step % 3 == 0
            one.grad = torch.randn_like(one) if used else None
            other.grad = None if one.grad is None else one.grad.clone()
        ours.step()
        theirs.step()
    for one, other in zip(*pairs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_a_row_named_twice_is_refused(loops):
    table = torch.nn.Parameter(torch.zeros(5, 2))
    table.grad = torch.sparse_coo_tensor([[1, 1]], torch.ones(2, 2), table.shape)
    with pytest.raises(ValueError, match="names a row twice"):
        LazyAdadelta([table], lr=1.0).step()


@pytest.mark.parametrize("option", [{"lr": 0}, {"lr": "fast"}, {"rho": 1}, {"eps": 0}])
def test_impossible_options_are_refused(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        LazyAdadelta([torch.nn.Parameter(torch.zeros(1))], **{"lr": 1.0, **option})


def test_a_saved_state_goes_on_as_if_nothing_had_happened(loops):
    def run(interrupted):
        table = torch.nn.Parameter(torch.zeros(40, 3, dtype=torch.float64))
        optimizer = LazyAdadelta([table], lr=1.0)
        for step, (rows, values) in enumerate(gradients(60)):
            if interrupted and step == 30:
                state = optimizer.state_dict()
                optimizer = LazyAdadelta([table], lr=1.0)
                optimizer.load_state_dict(state)
            table.grad = torch.sparse_coo_tensor(rows[None], values, table.shape)
            optimizer.step()
        return table.detach()

    assert torch.equal(run(interrupted=True), run(interrupted=False))
