"""What an encoder has to do; `bilstm.py` is the one to look at beside it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from mtl_bench.models.inputs.batches import Batch


class Encoder(nn.Module, ABC):
    """Turns what an input gives into one state for each step of a batch.

    Its constructor takes D, the numbers of a word's vector, and the options of its yaml.

    Attributes:
        has_directions: whether the first half of a state has seen only the words up to its own,
            and the second half those from there on.
        reads: what of an input: `vectors`, or `sub-words` (see `text.embeddings.Embeddings.gives`).
        size: numbers of a state.
    """

    has_directions: ClassVar[bool] = False
    reads: ClassVar[str] = "vectors"
    size: int

    @abstractmethod
    def forward(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return [N, size] the states of a batch's N steps.

        Args:
            vectors: [U, D] of the batch's different words.
            batch: the sentences.
        """

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what `restore` needs beside D and the weights, as plain values."""

    @classmethod
    def restore(cls, inputs: int, description: Mapping[str, Any]) -> Self:
        """Return an encoder as it was described; its weights are loaded afterwards."""
        return cls(inputs, **description)
