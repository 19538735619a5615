"""What words become for a pretrained transformer: frozen states, or sub-words to fine-tune it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mtl_bench.errors import UserError
from mtl_bench.text.embeddings import WordTest
from mtl_bench.text.hub import PretrainedModel

LAYERS = re.compile(r"last_([1-9]\d*)|\d+")


class SubwordEmbeddings:
    """The sub-words of a pretrained transformer, for the encoder that fine-tunes it."""

    input, gives = "mtl_bench.models.inputs.subwords.SubwordInput", "sub-words"
    quick = False

    def __init__(self, model: str) -> None:
        """Name the model: a folder, or `owner/name[@revision]` of the Hugging Face hub."""
        self.model = PretrainedModel(model)

    def is_here(self) -> bool:
        """Return whether the model is on this machine."""
        return self.model.is_here()

    def checksum(self) -> str:
        """Return the sha256 over the model's files."""
        return self.model.checksum()

    def with_vector(self, train: Iterable[str]) -> WordTest:  # noqa: ARG002
        """Return a test that every word passes."""
        return lambda word: True  # noqa: ARG005


class ContextualStates(SubwordEmbeddings):
    """The states of a pretrained transformer that is not trained.

    Each word of a sentence has one, that of its first sub-word.
    """

    input, gives = "mtl_bench.models.inputs.states.StateInput", "vectors"

    def __init__(self, model: str, layers: str | int = "last_4") -> None:
        """Name the model.

        Args:
            model: a folder, or `owner/name[@revision]` of the Hugging Face hub.
            layers: `last_<n>`: the mean of the last n layers; or the number of one layer, from 0
                (the embeddings below the first) on.
        """
        super().__init__(model)
        if isinstance(layers, bool) or not LAYERS.fullmatch(str(layers)):
            raise ValueError(f"layers is {layers!r}; it is last_<n> or the number of a layer.")
        self.layers = str(layers)

    def checksum(self) -> str:
        """Return the sha256 over the model's files.

        Raises:
            UserError: it has no such layers.
        """
        count = self.model.number(
            "num_hidden_layers", "num_layers", "n_layers", "n_layer", "encoder_layers"
        )
        if count is not None:
            self.chosen(count)  # before anything is computed
        return super().checksum()

    def chosen(self, count: int) -> list[int]:
        """Return which states are averaged, of those of `count` layers; 0 lies below the first.

        Raises:
            UserError: there are fewer layers.
        """
        last, _, number = self.layers.rpartition("_")
        if int(number) > count:
            raise UserError(
                f"embeddings.layers is {self.layers}; '{self.model.name}' has {count} layers: "
                f"last_1 to last_{count}, or 0 to {count}."
            )
        return list(range(count + 1))[-int(number) :] if last else [int(number)]
