"""A pretrained transformer that is trained further: all of it, its upper layers, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from mtl_bench.models import pretrained
from mtl_bench.models.encoders.base import Encoder
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.models.inputs.subwords import PaddedGroups
from mtl_bench.text.hub import PretrainedModel

TRAINABLE = re.compile(r"all|none|top_([1-9]\d*)")


class TransformerEncoder(Encoder):
    """A pretrained transformer; a word's state is that of its first sub-word.

    Attributes:
        size: numbers of a state.
    """

    reads = "sub-words"

    def __init__(
        self,
        inputs: int,
        model: str,
        trainable: str = "all",
        dropout: float | None = None,
        gradient_checkpointing: bool = False,
    ) -> None:
        """Load the model.

        Args:
            inputs: not used; there are no vectors.
            model: a folder, or `owner/name[@revision]` of the Hugging Face hub.
            trainable: `all` layers, `top_<k>`: the upper k and what lies above them, or `none`.
            dropout: inside the model, from 0 to below 1; None leaves what its configuration says.
            gradient_checkpointing: compute states again for the gradient, to save memory.
        """
        if not TRAINABLE.fullmatch(trainable):
            raise ValueError(f"trainable is '{trainable}'; it is all, none or top_<k>.")
        if dropout is not None and not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}; it is a share from 0 to below 1, or null.")
        self._build(inputs, pretrained.load(PretrainedModel(model), dropout))
        self._freeze(trainable)
        if gradient_checkpointing:
            # Reentrant ones have no gradient where the input of a layer has none (`top_<k>`).
            self.transformer.gradient_checkpointing_enable({"use_reentrant": False})
        self.train()  # it is loaded as if it were not to be trained

    def _build(self, inputs: int, transformer: Any) -> None:
        """Take the model."""
        super().__init__()
        del inputs  # see above
        self.transformer = transformer
        self.size = int(transformer.config.hidden_size)

    def _freeze(self, trainable: str) -> None:
        """Leave to training what is to be trained."""
        if trainable == "all":
            return
        count = int(trainable[4:] or 0)
        layers = self._layers()
        if count > len(layers):
            raise ValueError(f"trainable is '{trainable}'; the model has {len(layers)} layers.")
        # Parameters are registered in the order in which they are used: embeddings, then layers.
        first = next(layers[-count].parameters()) if count else None
        above = False
        for parameter in self.transformer.parameters():
            above = above or parameter is first
            parameter.requires_grad_(above)

    def _layers(self) -> nn.ModuleList:
        """Return the layers: the list with as many parts as the configuration counts."""
        count = int(self.transformer.config.num_hidden_layers)
        for module in self.transformer.modules():
            if isinstance(module, nn.ModuleList) and len(module) == count:
                return module
        raise ValueError("the layers of this model cannot be told apart: type trainable=all.")

    def train(self, mode: bool = True) -> Self:
        """Choose whether to train; a model of which nothing is trained drops nothing either."""
        super().train(mode and any(p.requires_grad for p in self.parameters()))
        return self

    def forward(self, vectors: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        """Return [N, size] the states of first sub-words.

        Args:
            vectors: of no use here.
            batch: the sentences, with their sub-words.
        """
        groups: PaddedGroups = batch.source
        states = [
            self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state.flatten(0, 1)
            for ids, mask in zip(groups.ids, groups.masks, strict=True)
        ]
        return torch.cat(states).index_select(0, groups.places).index_select(0, batch.words)

    def describe(self) -> dict[str, Any]:
        """Return the model's configuration; its weights are the tagger's own."""
        config = self.transformer.config.to_dict()
        return {"config": {name: value for name, value in config.items() if _is_plain(value)}}

    @classmethod
    def restore(cls, inputs: int, description: Mapping[str, Any]) -> Self:
        """Return an encoder of the same configuration, with weights drawn at random."""
        encoder = cls.__new__(cls)
        encoder._build(inputs, pretrained.of_config(description["config"]))
        return encoder


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool | list | dict | type(None))
