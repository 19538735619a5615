"""One bidirectional LSTM layer over flat batches, with its gradients written by hand.

Shapes: N steps of all sentences, U different words among them, D numbers a vector, H units per
direction.

Mirroring each sentence within its own length turns the backward direction into a second forward
one, so that both advance in one loop. Each different word is projected once, before the loop, and
all weight gradients are formed after it, each as one large product; the loop keeps only what is
recurrent. (`kernels.cpp` forms those of the recurrent weights in the loop, from the cache.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from mtl_bench.models.inputs.batches import Batch
from mtl_bench.models.kernels.library import Direction, Gradients, Kernels, Steps

# Their first argument times the slope of the function whose value is the second.
_of_sigmoid = torch.ops.aten.sigmoid_backward
_of_tanh = torch.ops.aten.tanh_backward


def two_directions(
    vectors: Tensor, lstm: nn.LSTM, batch: Batch, compiled: Kernels | None
) -> Tensor:
    """Return what a bidirectional `nn.LSTM` of one layer returns, faster on a CPU.

    Args:
        vectors: [U, D] of the batch's different words.
        lstm: its second biases are not used: they are redundant, and are to be zero.
        batch: the sentences.
        compiled: the compiled loop, or None for the one below.

    Returns:
        [N, 2H] forward states, then backward ones.
    """
    states: Tensor = TwoDirections.apply(  # type: ignore[no-untyped-call]  # as in torch
        vectors,
        lstm.weight_ih_l0,
        lstm.weight_hh_l0,
        lstm.bias_ih_l0,
        lstm.weight_ih_l0_reverse,
        lstm.weight_hh_l0_reverse,
        lstm.bias_ih_l0_reverse,
        batch,
        compiled,
    )
    return states


class TwoDirections(torch.autograd.Function):
    """The LSTM of Hochreiter and Schmidhuber (1997) with forget gates, both directions at once.

    i, f, o = sigmoid(W x + U h + bias), g = tanh(...), c' = f c + i g, h' = o tanh(c'),
    in `nn.LSTM`'s order of gates: i, f, g, o.
    """

    @staticmethod
    def forward(
        ctx: Any,
        vectors: Tensor,
        w_ahead: Tensor,
        u_ahead: Tensor,
        bias_ahead: Tensor,
        w_back: Tensor,
        u_back: Tensor,
        bias_back: Tensor,
        batch: Batch,
        compiled: Kernels | None,
    ) -> Tensor:
        """Return [N, 2H] states."""
        count, hidden = len(batch), u_ahead.shape[1]
        directions = (
            Direction(vectors, batch.words, w_ahead, u_ahead, bias_ahead, batch.sizes),
            Direction(vectors, batch.words[batch.mirror], w_back, u_back, bias_back, batch.sizes),
        )
        gates = vectors.new_empty(2, count, 4 * hidden)
        steps = Steps(gates, *vectors.new_empty(3, 2, count, hidden))
        if compiled:
            for direction, *own in zip(directions, *steps, strict=True):
                compiled.forward(direction, Steps(*own))
        else:
            _forward_steps(directions, steps)
        ctx.save_for_backward(*directions[0], *directions[1], *steps)
        ctx.batch, ctx.compiled = batch, compiled
        ahead, back = steps.states
        return torch.cat((ahead, back.index_select(0, batch.mirror)), dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the vectors and of the six weights."""
        tensors, batch = ctx.saved_tensors, ctx.batch
        directions = Direction(*tensors[:6]), Direction(*tensors[6:12])
        steps = Steps(*tensors[12:])
        (outer,) = gradients
        hidden = steps.cells.shape[2]
        d_states = outer.new_empty(2, len(batch), hidden)
        d_states[0] = outer[:, :hidden]
        torch.index_select(outer[:, hidden:], 0, batch.mirror, out=d_states[1])
        # Frozen vectors, such as states of a pretrained model, want no gradient.
        d_vectors = torch.zeros_like(directions[0].vectors) if ctx.needs_input_grad[0] else None
        d_weights: list[Tensor] = []
        if ctx.compiled:
            for direction, d_state, *own in zip(directions, d_states, *steps, strict=True):
                weights = direction.inputs, direction.recurrent, direction.bias
                sums = Gradients(d_vectors, *map(torch.zeros_like, weights))
                ctx.compiled.backward(direction, Steps(*own), d_state, sums)
                d_weights += (sums.inputs, sums.recurrent, sums.bias)
        else:
            d_gates = _backward_steps(directions, batch, steps, d_states)
            before = steps.states.index_select(1, batch.previous)
            for direction, d_gate, state in zip(directions, d_gates, before, strict=True):
                of_words = sum_by_word(d_gate, direction.words, len(direction.vectors))
                if d_vectors is not None:
                    d_vectors.addmm_(of_words, direction.inputs)
                d_weights += (
                    of_words.t() @ direction.vectors,
                    d_gate[batch.sizes[0] :].t() @ state,
                    of_words.sum(0),
                )
        return d_vectors, *d_weights, None, None


def _forward_steps(directions: Sequence[Direction], steps: Steps) -> None:
    """Compute the steps of both directions, first to last.

    torch's sigmoid is several times faster than its tanh, and a call with a plain number outside
    `alpha` and `value` costs as much as two without. So the loop uses sigmoids only, by
    tanh(x) = 2 sigmoid(2x) - 1 = 1 - 2 sigmoid(-2x): the inputs of g come doubled, and the cells
    are kept as -2 c; what is asked for is made of that at the end, for all steps at once.

    Args:
        directions: what they work on.
        steps: of both, [2, N, ...], filled.
    """
    gates, cells, tanh_cells, states = steps
    hidden = cells.shape[2]
    sizes: list[int] = directions[0].sizes.tolist()
    scale = gates.new_ones(4, hidden)
    scale[2] = 2
    scale = scale.view(-1)
    for direction, gate in zip(directions, gates, strict=True):
        inputs, bias = direction.inputs * scale[:, None], direction.bias * scale
        projections = torch.addmm(bias, direction.vectors, inputs.t())  # a word's, only once
        torch.index_select(projections, 0, direction.words, out=gate)
    ahead, back = ((direction.recurrent * scale[:, None]).t() for direction in directions)

    i, f, g, o = (each.split(sizes, 1) for each in gates.split(hidden, dim=2))
    all_t, c, s_c, h = (each.split(sizes, 1) for each in (gates, cells, tanh_cells, states))
    g_ahead, g_back, h_ahead, h_back = (each.split(sizes) for each in (*gates, *states))
    for t, size in enumerate(sizes):
        if t:
            g_ahead[t].addmm_(h_ahead[t - 1].narrow(0, 0, size), ahead)
            g_back[t].addmm_(h_back[t - 1].narrow(0, 0, size), back)
        all_t[t].sigmoid_()
        if t:
            torch.mul(f[t], c[t - 1].narrow(1, 0, size), out=c[t]).add_(i[t], alpha=2)
        else:
            torch.add(i[t], i[t], out=c[t])
        c[t].addcmul_(i[t], g[t], value=-4)
        torch.sigmoid(c[t], out=s_c[t])
        torch.addcmul(o[t], o[t], s_c[t], value=-2, out=h[t])
    one = gates.new_ones(())  # a tensor: see above
    g_gates = gates.narrow(2, 2 * hidden, hidden)
    torch.add(-one, g_gates, alpha=2, out=g_gates)
    cells.mul_(-0.5)
    torch.add(one, tanh_cells, alpha=-2, out=tanh_cells)


def _backward_steps(
    directions: Sequence[Direction], batch: Batch, steps: Steps, d_states: Tensor
) -> Tensor:
    """Compute the gradients of both directions, last step to first.

    Args:
        directions: what they work on.
        batch: the sentences.
        steps: of both, [2, N, ...], as `_forward_steps` left them.
        d_states: [2, N, H] gradients of the states; those from later steps are added.

    Returns:
        [2, N, 4H] gradients of the projected inputs.
    """
    gates, cells, tanh_cells, _ = steps
    hidden = cells.shape[2]
    sizes: list[int] = directions[0].sizes.tolist()
    u_ahead, u_back = (direction.recurrent for direction in directions)
    # What does not depend on the recurrence, for all steps at once: the gradient of a gate's
    # input is its slope times dc (for i, f, g) or dh (for o); dc is what comes from the step
    # after, plus the slope dh/dc times dh.
    i, f, g, o = gates.split(hidden, dim=2)
    slopes = torch.empty_like(gates)
    slope_i, slope_f, slope_g, slope_o = slopes.split(hidden, dim=2)
    first = sizes[0]
    _of_sigmoid.grad_input(g, i, grad_input=slope_i)
    slope_f[:, :first] = 0  # no cell before the first step
    before = cells.index_select(1, batch.previous)
    _of_sigmoid.grad_input(before, f[:, first:], grad_input=slope_f[:, first:])
    _of_tanh.grad_input(i, g, grad_input=slope_g)
    _of_sigmoid.grad_input(tanh_cells, o, grad_input=slope_o)
    slope_h = _of_tanh(o, tanh_cells)

    ifg_t = slopes.unflatten(2, (4, hidden)).narrow(2, 0, 3).split(sizes, 1)
    o_t, f_t, slope_h_t, h_t = (each.split(sizes, 1) for each in (slope_o, f, slope_h, d_states))
    g_ahead, g_back, h_ahead, h_back = (each.split(sizes) for each in (*slopes, *d_states))
    d_cell = cells.new_zeros(2, first, hidden)
    for t in range(len(sizes) - 1, -1, -1):
        size = sizes[t]
        c_t = d_cell.narrow(1, 0, size)
        c_t.addcmul_(h_t[t], slope_h_t[t])
        ifg_t[t].mul_(c_t.unsqueeze(2))
        o_t[t].mul_(h_t[t])
        if t:
            c_t.mul_(f_t[t])
            h_ahead[t - 1].narrow(0, 0, size).addmm_(g_ahead[t], u_ahead)
            h_back[t - 1].narrow(0, 0, size).addmm_(g_back[t], u_back)
    return slopes  # each has been multiplied into the gradient that it belongs to


def sum_by_word(rows: Tensor, words: Tensor, count: int) -> Tensor:
    """Return [count, ...] the sums of the rows [N, ...] of each word [N]."""
    sums: Tensor = torch.ops.aten.embedding_dense_backward(rows, words, count, -1, False)
    return sums
