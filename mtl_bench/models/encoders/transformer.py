"""A pretrained transformer that is trained further: all of it, its upper layers, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor

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
        if not TRAINABLE.fullmatch(str(trainable)):
            raise ValueError(f"trainable is {trainable!r}; it is all, none or top_<k>.")
        if dropout is not None and not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}; it is a share from 0 to below 1, or null.")
        self._build(inputs, pretrained.load(PretrainedModel(model), dropout))
        self._freeze(trainable)
        if gradient_checkpointing:
            # Its name in newer versions of transformers, or that in 5.0.
            enable = getattr(self.transformer, "activation_checkpointing_enable", None)
            (enable or self.transformer.gradient_checkpointing_enable)()
            # Else gradients would be carried through the layers that are not trained.
            self.transformer.disable_input_require_grads()
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
        parameters = list(self.transformer.parameters())
        some = torch.ones(1, 2, dtype=torch.int64)
        output = self.transformer(input_ids=some, output_hidden_states=True)
        layers = len(output.hidden_states) - 1
        if count > layers:
            raise ValueError(f"trainable is '{trainable}'; the model has {layers} layers.")
        # Names and order do not tell what lies above: models have tables that all their layers use,
        # and norms of the embeddings, behind the layers.
        below = _used(output.hidden_states[layers - count], parameters)
        above = _used(output.last_hidden_state, parameters) - below
        if count and not above:
            raise ValueError(
                f"trainable is '{trainable}'; the layers of this model share their weights: type "
                "trainable=all."
            )
        for parameter in parameters:
            parameter.requires_grad_(parameter in above)

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
        config = self.transformer.config.to_dict().items()
        # Names with _ are of this process, such as the folder that it was loaded from.
        return {"config": {n: value for n, value in config if n[0] != "_" and _is_plain(value)}}

    @classmethod
    def restore(cls, inputs: int, description: Mapping[str, Any]) -> Self:
        """Return an encoder of the same configuration, with weights drawn at random."""
        encoder = cls.__new__(cls)
        encoder._build(inputs, pretrained.of_config(description["config"]))
        return encoder


def _used(states: Tensor, parameters: Sequence[Tensor]) -> set[Tensor]:
    """Return the parameters that states are made of: those that have a gradient."""
    gradients = torch.autograd.grad(states.sum(), parameters, retain_graph=True, allow_unused=True)
    return {p for p, gradient in zip(parameters, gradients, strict=True) if gradient is not None}


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool | list | dict | type(None))
