"""One bidirectional LSTM layer over flat batches.

Shapes: N steps of all sentences, D inputs, H units per direction, b sentences that reach a step.

Mirroring each sentence within its own length turns the backward direction into a second forward
one, so that both advance in one loop. Inputs are projected before the loop and all weight
gradients are formed after it, each as one large product; the loop keeps only what is recurrent.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn.utils.rnn import PackedSequence

from mtl_bench.training.batching import Batch


class BiLSTM(nn.Module):
    """A bidirectional LSTM; on a CPU the loop below, on other devices `nn.LSTM`.

    The parameters live in an `nn.LSTM` either way. Its second bias is redundant and stays zero.
    """

    def __init__(self, inputs: int, hidden_size: int, forget_bias: float, loop: bool | None = None):
        """Create the parameters.

        Args:
            inputs: D.
            hidden_size: H, units per direction.
            forget_bias: start value of the forget gate's bias; the other biases start at 0.
            loop: run the loop below (True) or `nn.LSTM` (False); None chooses by device.
        """
        super().__init__()
        if hidden_size < 1:
            raise ValueError(f"hidden_size is {hidden_size}; it is at least 1.")
        self.size = 2 * hidden_size
        self.loop = loop
        self.lstm = nn.LSTM(inputs, hidden_size, bidirectional=True)
        with torch.no_grad():
            for name, parameter in self.lstm.named_parameters():
                if name.startswith("bias"):
                    parameter.zero_()
                if name.startswith("bias_ih"):
                    parameter[hidden_size : 2 * hidden_size] = forget_bias
                if name.startswith("bias_hh"):
                    parameter.requires_grad_(False)

    def forward(self, inputs: Tensor, batch: Batch) -> Tensor:
        """Return the states of both directions.

        Args:
            inputs: [N, D] the words' vectors.
            batch: the sentences that they belong to.

        Returns:
            [N, 2H] forward states, then backward ones.
        """
        use_loop = inputs.device.type == "cpu" if self.loop is None else self.loop
        if not use_loop:
            packed: PackedSequence = self.lstm(PackedSequence(inputs, batch.sizes))[0]
            return packed.data
        p = self.lstm
        states: Tensor = TwoDirections.apply(
            inputs,
            *(p.weight_ih_l0, p.weight_hh_l0, p.bias_ih_l0),
            *(p.weight_ih_l0_reverse, p.weight_hh_l0_reverse, p.bias_ih_l0_reverse),
            batch.sizes.tolist(),
            batch.mirror,
            batch.previous,
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
        inputs: Tensor,
        w_ahead: Tensor,
        u_ahead: Tensor,
        bias_ahead: Tensor,
        w_back: Tensor,
        u_back: Tensor,
        bias_back: Tensor,
        sizes: list[int],
        mirror: Tensor,
        previous: Tensor,
    ) -> Tensor:
        """Return [N, 2H] states."""
        count, hidden = len(inputs), u_ahead.shape[1]
        mirrored = inputs.index_select(0, mirror)
        gates = inputs.new_empty(2, count, 4 * hidden)
        torch.addmm(bias_ahead, inputs, w_ahead.t(), out=gates[0])
        torch.addmm(bias_back, mirrored, w_back.t(), out=gates[1])
        cells = inputs.new_empty(2, count, hidden)
        squashed = inputs.new_empty(2, count, hidden)  # tanh of the cells
        states = inputs.new_empty(2, count, hidden)

        recurrent = (u_ahead.t(), u_back.t())
        views = zip(
            gates[0].split(sizes),
            gates[1].split(sizes),
            gates[:, :, : 2 * hidden].split(sizes, 1),
            gates[:, :, 2 * hidden : 3 * hidden].split(sizes, 1),
            gates[:, :, 3 * hidden :].split(sizes, 1),
            gates[:, :, :hidden].split(sizes, 1),
            gates[:, :, hidden : 2 * hidden].split(sizes, 1),
            cells.split(sizes, 1),
            squashed.split(sizes, 1),
            states.split(sizes, 1),
            states[0].split(sizes),
            states[1].split(sizes),
            sizes,
            strict=True,
        )
        cell = state_ahead = state_back = None
        for ahead, back, i_f, g, o, i, f, c, tanh_c, h, h_ahead, h_back, size in views:
            if cell is not None:
                ahead.addmm_(state_ahead[:size], recurrent[0])
                back.addmm_(state_back[:size], recurrent[1])
            i_f.sigmoid_()
            g.tanh_()
            o.sigmoid_()
            torch.mul(i, g, out=c)
            if cell is not None:
                c.addcmul_(f, cell[:, :size])
            torch.tanh(c, out=tanh_c)
            torch.mul(o, tanh_c, out=h)
            cell, state_ahead, state_back = c, h_ahead, h_back

        ctx.save_for_backward(
            inputs, mirrored, w_ahead, u_ahead, w_back, u_back, mirror, previous, gates, cells,
            squashed, states,
        )  # fmt: skip
        ctx.sizes = sizes
        return torch.cat((states[0], states[1].index_select(0, mirror)), dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the inputs and of the six weights."""
        (inputs, mirrored, w_ahead, u_ahead, w_back, u_back, mirror, previous, gates, cells,
         squashed, states) = ctx.saved_tensors  # fmt: skip
        sizes: list[int] = ctx.sizes
        (outer,) = gradients
        count, hidden = len(inputs), u_ahead.shape[1]
        first = sizes[0]
        upstream = outer.new_empty(2, count, hidden)
        upstream[0] = outer[:, :hidden]
        torch.index_select(outer[:, hidden:], 0, mirror, out=upstream[1])

        # What does not depend on the recurrence, for all steps at once: d(gate input) is dc (for
        # i, f, g) or dh (for o) times `slopes`; dc is what comes from later plus dh times `leak`.
        i, f, g, o = gates.split(hidden, dim=2)
        slopes = torch.empty_like(gates)
        slope_i, slope_f, slope_g, slope_o = slopes.split(hidden, dim=2)
        torch.addcmul(i, i, i, value=-1, out=slope_i).mul_(g)
        torch.addcmul(f, f, f, value=-1, out=slope_f)
        slope_f[:, :first] = 0
        slope_f[:, first:] *= cells.index_select(1, previous)
        torch.addcmul(i, torch.mul(i, g), g, value=-1, out=slope_g)
        torch.addcmul(o, o, o, value=-1, out=slope_o).mul_(squashed)
        leak = torch.addcmul(o, torch.mul(o, squashed), squashed, value=-1)

        d_cell = outer.new_zeros(2, first, hidden)
        by_gate = slopes.view(2, count, 4, hidden)
        views = list(
            zip(
                slopes[0].split(sizes),
                slopes[1].split(sizes),
                by_gate[:, :, :3].split(sizes, 1),
                by_gate[:, :, 3].split(sizes, 1),
                leak.split(sizes, 1),
                f.split(sizes, 1),
                upstream.split(sizes, 1),
                upstream[0].split(sizes),
                upstream[1].split(sizes),
                sizes,
                strict=True,
            )
        )
        for t in range(len(sizes) - 1, -1, -1):
            d_ahead, d_back, d_ifg, d_o, leak_t, f_t, d_h, _, _, size = views[t]
            d_c = d_cell[:, :size]
            d_c.addcmul_(d_h, leak_t)
            d_ifg.mul_(d_c.unsqueeze(2))
            d_o.mul_(d_h)
            if t:
                d_c.mul_(f_t)
                views[t - 1][7][:size].addmm_(d_ahead, u_ahead)
                views[t - 1][8][:size].addmm_(d_back, u_back)
        d_gates = slopes  # every slope was multiplied into the gradient it belongs to
        before = states.index_select(1, previous)
        d_inputs = d_gates[0] @ w_ahead
        d_inputs += (d_gates[1] @ w_back).index_select(0, mirror)
        d_ahead, d_back = d_gates[0].t(), d_gates[1].t()
        return (
            d_inputs,
            d_ahead @ inputs,
            d_ahead[:, first:] @ before[0],
            d_gates[0].sum(0),
            d_back @ mirrored,
            d_back[:, first:] @ before[1],
            d_gates[1].sum(0),
            None,
            None,
            None,
        )
