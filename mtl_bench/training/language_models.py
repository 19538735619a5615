"""Language models among the tasks of a run: which head they take, and what cannot be predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mtl_bench.config.mistakes.options import task_options
from mtl_bench.config.schema import RunConfig
from mtl_bench.errors import UserError
from mtl_bench.models.encoders.base import Encoder
from mtl_bench.models.heads.base import Head
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.prepare import Prepared
from mtl_bench.models.inputs.subwords import SubwordInput
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.types.base import TaskType
from mtl_bench.tasks.types.language_model import LanguageModel
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.trust import named


def type_for(config: RunConfig, type_: TaskType[Any]) -> TaskType[Any]:
    """Return a type with the head that the encoder needs."""
    encoder: type[Encoder] = named(str(config.encoder["_target_"]))
    if isinstance(type_, LanguageModel) and encoder.reads == "sub-words":
        return replace(type_, head=type_.masked_head)
    return type_


def check_directions(
    config: RunConfig, corpora: Mapping[str, Corpus], embeddings: Embeddings
) -> None:
    """Check that heads which predict words get states that have not seen them.

    Raises:
        UserError: they would.
    """
    layers = task_options(config)["model.private_layers"]
    input_: type[Input[Any]] = named(embeddings.input)
    encoder: type[Encoder] = named(str(config.encoder["_target_"]))
    is_directed = not input_.sees_neighbours and encoder.has_directions
    sees_all = (input_ if input_.sees_neighbours else encoder).__name__
    for name, corpus in corpora.items():
        head: type[Head] = named(corpus.type.head)
        if head.needs_directions and layers.get(name):
            raise UserError(
                f"model.private_layers.{name} is {layers[name]}; allowed is: 0 for a task that "
                "predicts words, since a second biLSTM would have seen them."
            )
        if head.needs_directions and not is_directed:
            raise UserError(
                f"task '{name}' predicts words from states that must not have seen them, but what "
                f"{sees_all} gives depends on whole sentences.\nA language model takes "
                "encoder=bilstm with embeddings=random, glove or file, or experiment=finetune, "
                "where it predicts words that are hidden."
            )


def check_mask(prepared: Prepared) -> None:
    """Check that the model has a mask, where words are to be hidden from it.

    Raises:
        UserError: it has none.
    """
    input_ = prepared.input
    if not isinstance(input_, SubwordInput) or input_.subwords.mask is not None:
        return
    for name, fitted in prepared.tasks.items():
        if fitted.type.head == LanguageModel.masked_head:
            raise UserError(
                f"task '{name}' predicts words that are hidden by a mask, but the encoder's "
                "tokenizer has none. Choose a model that has one, such as BERT and its kin."
            )
