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
            for direction, gate in zip(directions, gates, strict=True):
                _project(direction, gate)
            _advance(gates, cells, squashed, states, u_ahead, u_back, batch.sizes.tolist())
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


def _project(direction: Direction, gates: Tensor) -> None:
    """Fill `gates` [N, 4H] with the projected inputs: a word's is computed once."""
    projected = torch.addmm(direction.bias, direction.vectors, direction.inputs.t())
    torch.index_select(projected, 0, direction.words, out=gates)


def _advance(
    gates: Tensor,
    cells: Tensor,
    squashed: Tensor,
    states: Tensor,
    u_ahead: Tensor,
    u_back: Tensor,
    sizes: Sequence[int],
) -> None:
    """Go through the steps of both directions.

    Args:
        gates: [2, N, 4H] projected inputs, which become the gates.
        cells: [2, N, H] filled.
        squashed: [2, N, H] filled with the tanh of the cells.
        states: [2, N, H] filled.
        u_ahead: [4H, H] recurrent weights.
        u_back: [4H, H] those of the other direction.
        sizes: sentences that reach each step.
    """
    hidden = cells.shape[2]
    i, f, g, o = gates.split(hidden, dim=2)
    steps = zip(
        gates[0].split(sizes),
        gates[1].split(sizes),
        *(each.split(sizes, 1) for each in (gates, i, f, g, o, cells, squashed, states)),
        states[0].split(sizes),
        states[1].split(sizes),
        sizes,
        strict=True,
    )
    ahead, back = u_ahead.t(), u_back.t()
    before: tuple[Tensor, Tensor, Tensor] | None = None
    for (
        g_ahead,
        g_back,
        all_t,
        i_t,
        f_t,
        g_t,
        o_t,
        c,
        tanh_c,
        h,
        h_ahead,
        h_back,
        size,
    ) in steps:
        if before:
            g_ahead.addmm_(before[0][:size], ahead)
            g_back.addmm_(before[1][:size], back)
        # tanh(x) = 2 sigmoid(2x) - 1: torch's sigmoid is several times faster than its tanh.
        g_t.mul_(2)
        all_t.sigmoid_()
        g_t.mul_(2).sub_(1)
        torch.mul(i_t, g_t, out=c)
        if before:
            c.addcmul_(f_t, before[2][:, :size])
        torch.mul(c, 2, out=tanh_c).sigmoid_().mul_(2).sub_(1)
        torch.mul(o_t, tanh_c, out=h)
        before = h_ahead, h_back, c


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
    torch.addcmul(i, i, i, value=-1, out=slope_i).mul_(g)
    torch.addcmul(f, f, f, value=-1, out=slope_f)
    slope_f[:, :first] = 0  # no cell before the first step
    slope_f[:, first:] *= cells.index_select(1, previous)
    torch.addcmul(i, i * g, g, value=-1, out=slope_g)
    torch.addcmul(o, o, o, value=-1, out=slope_o).mul_(squashed)
    leak = torch.addcmul(o, o * squashed, squashed, value=-1)

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
        d_c = d_cell[:, :size]
        d_c.addcmul_(d_h, leak_t)
        d_ifg.mul_(d_c.unsqueeze(2))
        d_o.mul_(d_h)
        if t:
            d_c.mul_(f_t)
            steps[t - 1][7][:size].addmm_(d_ahead, u_ahead)
            steps[t - 1][8][:size].addmm_(d_back, u_back)
    return slopes  # each has been multiplied into the gradient that it belongs to
