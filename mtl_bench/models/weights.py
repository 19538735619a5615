"""Files that torch writes: a run's checkpoint, its weights."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mtl_bench.files import write_atomically


def save(state: Mapping[str, Any], path: Path) -> None:
    """Write tensors and plain values, whole or not at all.

    Into memory first: torch turns a full disk into an error that does not say so.

    Raises:
        OSError: there is no space, or no right to write.
    """
    memory = io.BytesIO()
    torch.save(state, memory)
    write_atomically(path, memory.getbuffer())
