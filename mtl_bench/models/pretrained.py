"""Pretrained transformers as modules of torch; `text/hub.py` says where their files are."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mtl_bench.errors import UserError
from mtl_bench.text.hub import PretrainedModel, quiet_transformers


def load(model: PretrainedModel, dropout: float | None = None) -> nn.Module:
    """Return a model in float32, from safetensors, without what lies above its states.

    Args:
        model: where it is.
        dropout: inside the model while it is trained; None leaves what its configuration says.

    Raises:
        UserError: it is not there, or cannot be loaded.
    """
    folder = model.folder
    from transformers import AutoConfig, AutoModel

    with quiet_transformers():
        try:
            config: Any = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            for name, value in config.to_dict().items():
                # All their names have it: hidden_dropout_prob, resid_pdrop, dropout_rate, ...;
                # `layerdrop` is another thing.
                is_share = isinstance(value, int | float) and not isinstance(value, bool)
                if dropout is not None and is_share and "drop" in name.replace("layerdrop", ""):
                    setattr(config, name, dropout)
            module, report = AutoModel.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
        except Exception as error:  # damaged files raise anything
            raise model.failure("the model", error) from None
    parameters = dict(module.named_parameters())
    drawn = {id(parameters[name]) for name in report["missing_keys"] if name in parameters}
    part = without_extras(module)
    for name, parameter in part.named_parameters():
        if id(parameter) in drawn:
            raise UserError(
                f"model: the files of '{model.name}' lack the weights of {name}, which would be "
                "drawn at random. Choose another model."
            )
    return part


def of_config(config: dict[str, Any]) -> nn.Module:
    """Return a model of a configuration, with weights drawn at random."""
    from transformers import AutoConfig, AutoModel

    options = dict(config)
    models: Any = AutoModel  # its methods are not typed
    return without_extras(
        models.from_config(AutoConfig.for_model(options.pop("model_type"), **options))
    )


def without_extras(module: Any) -> nn.Module:
    """Return the part of a model that gives states: an encoder, without a pooling layer."""
    if getattr(module.config, "is_encoder_decoder", False):
        module = module.get_encoder()
    if getattr(module, "pooler", None) is not None:
        module.pooler = None
    part: nn.Module = module
    return part
