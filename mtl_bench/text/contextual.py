"""What words become for a pretrained transformer: frozen states, or sub-words to fine-tune it."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
