"""Pretrained transformers as modules of torch; `text/hub.py` says where their files are."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mtl_bench.errors import UserError
from mtl_bench.text.hub import PretrainedModel, quiet_transformers


def load(model: PretrainedModel) -> nn.Module:
    """Return a model in float32, from safetensors, without what lies above its states.

    Raises:
        UserError: it is not there, or cannot be loaded.
    """
    folder = model.folder
    from transformers import AutoModel

    with quiet_transformers():
        try:
            module = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
            )
        except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
            raise UserError(
                f"model: '{model.name}' cannot be loaded by `transformers`: {error}"
            ) from None
    return without_extras(module)


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
