"""One bidirectional LSTM layer over flat batches.

Shapes: N steps of all sentences, U different words among them, D numbers a vector, H units per
direction.

Mirroring each sentence within its own length turns the backward direction into a second forward
one, so that both advance in one loop. Each different word is projected once, before the loop, and
all weight gradients are formed after it, each as one large product; the loop keeps only what is
recurrent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

from mtl_bench.training.batching import Batch, sum_by_word
from mtl_bench.training.compiled import Direction, Kernels, kernels

# Their first argument times the slope of the function whose value is the second.
_of_sigmoid = torch.ops.aten.sigmoid_backward.grad_input
_of_tanh = torch.ops.aten.tanh_backward.grad_input


class BiLSTM(nn.Module):
    """A bidirectional LSTM; on a CPU the loop below, on other devices `nn.LSTM`.

    The parameters live in an `nn.LSTM` either way. Its second bias is redundant and stays zero.
    """

    def __init__(
        self,
        inputs: int,
        hidden_size: int,
        forget_bias: float,
        loop: bool | None = None,
        compiled: bool = False,
    ) -> None:
        """Create the parameters.

        Args:
            inputs: D.
            hidden_size: H, units per direction.
            forget_bias: start value of the forget gate's bias; the other biases start at 0.
            loop: run the loop below (True) or `nn.LSTM` (False); None chooses by device.
            compiled: run the loop in C++, where it can be built.
        """
        super().__init__()
        if hidden_size < 1:
            raise ValueError(f"hidden_size is {hidden_size}; it is at least 1.")
        self.size = 2 * hidden_size
        self.loop = loop
        self.kernels = kernels() if compiled else None
        self.lstm = nn.LSTM(inputs, hidden_size, bidirectional=True)
        with torch.no_grad():
            for name, parameter in self.lstm.named_parameters():
                if name.startswith("bias"):
                    parameter.zero_()
                if name.startswith("bias_ih"):
                    parameter[hidden_size : 2 * hidden_size] = forget_bias
                if name.startswith("bias_hh"):
                    parameter.requires_grad_(False)

    def forward(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the states of both directions.

        Args:
            vectors: [U, D] of the batch's different words.
            batch: the sentences.

        Returns:
            [N, 2H] forward states, then backward ones.
        """
        use_loop = vectors.device.type == "cpu" if self.loop is None else self.loop
        if not use_loop:
            inputs = vectors.index_select(0, batch.words)
            packed: PackedSequence = self.lstm(PackedSequence(inputs, batch.sizes))[0]
            return packed.data
        p = self.lstm
        states: Tensor = TwoDirections.apply(  # type: ignore[no-untyped-call]  # torch does not
            vectors,
            *(p.weight_ih_l0, p.weight_hh_l0, p.bias_ih_l0),
            *(p.weight_ih_l0_reverse, p.weight_hh_l0_reverse, p.bias_ih_l0_reverse),
            batch,
            self.kernels,
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
        cells, squashed, states = vectors.new_empty(3, 2, count, hidden)  # squashed: tanh of cells
        if compiled:
            for each in zip(directions, gates, cells, squashed, states, strict=True):
                compiled.forward(*each)
        else:
            _advance(directions, gates, cells, squashed, states)
        ctx.save_for_backward(*directions[0], *directions[1], gates, cells, squashed, states)
        ctx.batch, ctx.compiled = batch, compiled
        return torch.cat((states[0], states[1].index_select(0, batch.mirror)), dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the vectors and of the six weights."""
        saved, batch = ctx.saved_tensors, ctx.batch
        directions = Direction(*saved[:6]), Direction(*saved[6:12])
        gates, cells, squashed, states = saved[12:]
        (outer,) = gradients
        hidden = cells.shape[2]
        d_states = outer.new_empty(2, len(batch), hidden)
        d_states[0] = outer[:, :hidden]
        torch.index_select(outer[:, hidden:], 0, batch.mirror, out=d_states[1])
        d_vectors = torch.zeros_like(directions[0].vectors)
        d_weights: list[Tensor] = []
        if ctx.compiled:
            filled = zip(directions, gates, cells, squashed, states, d_states, strict=True)
            for direction, *of_steps in filled:
                weights = direction.inputs, direction.recurrent, direction.bias
                found = [torch.zeros_like(weight) for weight in weights]
                ctx.compiled.backward(direction, *of_steps, d_vectors, *found)
                d_weights += found
        else:
            u_ahead, u_back = (direction.recurrent for direction in directions)
            d_gates = _retreat(
                gates,
                cells,
                squashed,
                d_states,
                u_ahead,
                u_back,
                batch.sizes.tolist(),
                batch.previous,
            )
            before = states.index_select(1, batch.previous)
            for direction, d_gate, state in zip(directions, d_gates, before, strict=True):
                of_words = sum_by_word(d_gate, direction.words, len(d_vectors))
                d_vectors.addmm_(of_words, direction.inputs)
                d_weights += (
                    of_words.t() @ direction.vectors,
                    d_gate[batch.sizes[0] :].t() @ state,
                    of_words.sum(0),
                )
        return d_vectors, *d_weights, None, None


def _advance(
    directions: Sequence[Direction],
    gates: Tensor,
    cells: Tensor,
    squashed: Tensor,
    states: Tensor,
) -> None:
    """Go through the steps of both directions.

    torch's sigmoid is several times faster than its tanh, and a call with a plain number outside
    `alpha` and `value` costs as much as two without. So the loop knows sigmoids only, by
    tanh(x) = 2 sigmoid(2x) - 1 = 1 - 2 sigmoid(-2x): the inputs of g come doubled, and the cells
    are kept as -2 c; what is asked for is made of that at the end, for all steps at once.

    Args:
        directions: what they work on.
        gates: [2, N, 4H] filled.
        cells: [2, N, H] filled.
        squashed: [2, N, H] filled with the tanh of the cells.
        states: [2, N, H] filled.
    """
    hidden = cells.shape[2]
    sizes: list[int] = directions[0].sizes.tolist()
    scale = gates.new_ones(4, hidden)
    scale[2] = 2
    scale = scale.view(-1)
    for direction, gate in zip(directions, gates, strict=True):
        inputs, bias = direction.inputs * scale[:, None], direction.bias * scale
        projected = torch.addmm(bias, direction.vectors, inputs.t())  # a word's, only once
        torch.index_select(projected, 0, direction.words, out=gate)
    ahead, back = ((direction.recurrent * scale[:, None]).t() for direction in directions)

    i, f, g, o = gates.split(hidden, dim=2)
    steps = zip(
        gates[0].split(sizes),
        gates[1].split(sizes),
        states[0].split(sizes),
        states[1].split(sizes),
        *(each.split(sizes, 1) for each in (gates, i, f, g, o, cells, squashed, states)),
        sizes,
        strict=True,
    )
    before: tuple[Tensor, Tensor, Tensor] | None = None
    for g_ahead, g_back, h_ahead, h_back, all_t, i_t, f_t, s_t, o_t, c, s_c, h, size in steps:
        if before:
            g_ahead.addmm_(before[0].narrow(0, 0, size), ahead)
            g_back.addmm_(before[1].narrow(0, 0, size), back)
            all_t.sigmoid_()
            torch.mul(f_t, before[2].narrow(1, 0, size), out=c).add_(i_t, alpha=2)
        else:
            all_t.sigmoid_()
            torch.add(i_t, i_t, out=c)
        c.addcmul_(i_t, s_t, value=-4)
        torch.sigmoid(c, out=s_c)
        torch.addcmul(o_t, o_t, s_c, value=-2, out=h)
        before = h_ahead, h_back, c
    one = gates.new_ones(())
    torch.add(-one, g, alpha=2, out=g)
    cells.mul_(-0.5)
    torch.add(one, squashed, alpha=-2, out=squashed)


def _retreat(
    gates: Tensor,
    cells: Tensor,
    squashed: Tensor,
    d_states: Tensor,
    u_ahead: Tensor,
    u_back: Tensor,
    sizes: Sequence[int],
    previous: Tensor,
) -> Tensor:
    """Go back through the steps of both directions.

    Args:
        gates: [2, N, 4H] as `_advance` left them, like the next two.
        cells: [2, N, H].
        squashed: [2, N, H].
        d_states: [2, N, H] gradients of the states; those from later steps are added.
        u_ahead: [4H, H] recurrent weights.
        u_back: [4H, H] those of the other direction.
        sizes: sentences that reach each step.
        previous: [N - B] row of the step before.

    Returns:
        [2, N, 4H] gradients of the projected inputs.
    """
    _, count, hidden = cells.shape
    first = sizes[0]
    # What does not depend on the recurrence, for all steps at once: the gradient of a gate's
    # input is its slope times dc (for i, f, g) or dh (for o); dc is what comes from the step
    # after, plus leak times dh.
    i, f, g, o = gates.split(hidden, dim=2)
    slopes = torch.empty_like(gates)
    slope_i, slope_f, slope_g, slope_o = slopes.split(hidden, dim=2)
    _of_sigmoid(g, i, grad_input=slope_i)
    slope_f[:, :first] = 0  # no cell before the first step
    _of_sigmoid(cells.index_select(1, previous), f[:, first:], grad_input=slope_f[:, first:])
    _of_tanh(i, g, grad_input=slope_g)
    _of_sigmoid(squashed, o, grad_input=slope_o)
    leak = torch.ops.aten.tanh_backward(o, squashed)

    by_gate = slopes.view(2, count, 4, hidden)
    steps = list(
        zip(
            slopes[0].split(sizes),
            slopes[1].split(sizes),
            by_gate[:, :, :3].split(sizes, 1),
            by_gate[:, :, 3].split(sizes, 1),
            *(each.split(sizes, 1) for each in (leak, f, d_states)),
            d_states[0].split(sizes),
            d_states[1].split(sizes),
            sizes,
            strict=True,
        )
    )
    d_cell = cells.new_zeros(2, first, hidden)
    for t in range(len(sizes) - 1, -1, -1):
        d_ahead, d_back, d_ifg, d_o, leak_t, f_t, d_h, _, _, size = steps[t]
        d_c = d_cell.narrow(1, 0, size)
        d_c.addcmul_(d_h, leak_t)
        d_ifg.mul_(d_c.unsqueeze(2))
        d_o.mul_(d_h)
        if t:
            d_c.mul_(f_t)
            steps[t - 1][7].narrow(0, 0, size).addmm_(d_ahead, u_ahead)
            steps[t - 1][8].narrow(0, 0, size).addmm_(d_back, u_back)
    return slopes  # each has been multiplied into the gradient that it belongs to
