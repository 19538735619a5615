"""One bidirectional LSTM layer: the paper's encoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from mtl_bench.models import kernels
from mtl_bench.models.encoders.base import Encoder
from mtl_bench.models.inputs.batches import Batch


class BiLSTM(Encoder):
    """A bidirectional LSTM (Hochreiter and Schmidhuber, 1997, with forget gates).

    i, f, o = sigmoid(W x + U h + bias), g = tanh(W x + U h + bias), c' = f c + i g,
    h' = o tanh(c').

    Attributes:
        size: 2H, numbers of a state: those of the forward direction, then of the backward one.
    """

    has_directions = True

    def __init__(self, inputs: int, hidden_size: int, forget_bias: float) -> None:
        """Create the parameters.

        Args:
            inputs: D, numbers of a word's vector.
            hidden_size: H, units per direction.
            forget_bias: start value of the forget gate's bias; the other biases start at 0.
        """
        super().__init__()
        if hidden_size < 1:
            raise ValueError(f"hidden_size is {hidden_size}; it is at least 1.")
        self.size = 2 * hidden_size
        self.options = {"hidden_size": hidden_size, "forget_bias": forget_bias}
        self.lstm = nn.LSTM(inputs, hidden_size, bidirectional=True)
        with torch.no_grad():
            for name, parameter in self.lstm.named_parameters():
                if name.startswith("bias"):
                    parameter.zero_()
                if name.startswith("bias_ih"):
                    parameter[hidden_size : 2 * hidden_size] = forget_bias
                if name.startswith("bias_hh"):  # torch has two biases, which add up: one stays zero
                    parameter.requires_grad_(False)

    def forward(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the states of both directions.

        Args:
            vectors: [U, D] of the batch's different words.
            batch: the sentences, N steps of all.

        Returns:
            [N, 2H] forward states, then backward ones.
        """
        if vectors.device.type == "cpu":  # the same, in 0.4 to 0.6 of the time
            return kernels.bilstm(vectors, self.lstm, batch)
        inputs = vectors.index_select(0, batch.words)
        packed: PackedSequence = self.lstm(PackedSequence(inputs, batch.sizes))[0]
        return packed.data

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        return dict(self.options)
