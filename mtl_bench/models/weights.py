"""Files that torch writes: a run's checkpoint, and its weights with all that is needed to tag."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.utils import get_class, instantiate

from mtl_bench.files import write_atomically
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.tagger import Tagger
from mtl_bench.tasks.types.base import Fitted, TaskType


def save(state: Mapping[str, Any], path: Path) -> None:
    """Write tensors and plain values, whole or not at all.

    Into memory first: torch turns a full disk into an error that does not say so.

    Raises:
        OSError: there is no space, or no right to write.
    """
    memory = io.BytesIO()
    torch.save(state, memory)
    write_atomically(path, memory.getbuffer())


def save_tagger(path: Path, tagger: Tagger, encoder: Mapping[str, Any]) -> None:
    """Write weights and all that is needed to use them, as plain values.

    Args:
        path: of the file.
        tagger: trained.
        encoder: the `_target_` and options that its encoder was made from.
    """
    kind = type(tagger.input)
    state = {
        "weights": tagger.state_dict(),
        "input": {"class": f"{kind.__module__}.{kind.__qualname__}", **tagger.input.describe()},
        "encoder": dict(encoder),
        "tasks": {
            task: {"type": fitted.type.describe(), "targets": fitted.targets.state()}
            for task, fitted in tagger.tasks.items()
        },
    }
    save(state, path)


def load_tagger(path: Path) -> Tagger:
    """Return the tagger that `save_tagger` wrote; it needs no other file, and no configuration."""
    # weights_only: a file of somebody else's runs no code of theirs.
    state = torch.load(path, map_location="cpu", weights_only=True)
    make: type[Input] = get_class(state["input"]["class"])
    tasks = {}
    for task, entry in state["tasks"].items():
        type_: TaskType[Any] = instantiate(entry["type"])
        tasks[task] = Fitted(type_, type_.restore(entry["targets"]))
    encoder = instantiate(state["encoder"])
    # A tagger wants an optimizer; to tag, it makes none.
    tagger = Tagger(make.restore(state["input"]), encoder, tasks, torch.optim.SGD)
    tagger.load_state_dict(state["weights"])
    return tagger.eval()
