"""The files of a pretrained transformer: which are read, and whether all are there."""

from __future__ import annotations

import json
from pathlib import Path

INDEX = "model.safetensors.index.json"
"""Names the files of weights where there are several."""

FILES = (
    "config.json",
    "model.safetensors",
    "model-*-of-*.safetensors",
    INDEX,
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
"""What is read of a model."""

VOCABULARIES = ("vocab.*", "merges.txt", "*.model")
"""What is read of a tokenizer that has no `tokenizer.json`."""


def files_of(folder: Path) -> list[Path]:
    """Return the files that decide what a model does, sorted.

    There may be others: different programs keep a model in the same folder of the hub's cache.
    """
    patterns = FILES if (folder / "tokenizer.json").is_file() else FILES + VOCABULARIES
    return sorted({file for pattern in patterns for file in folder.glob(pattern)})


def lack_of(folder: Path) -> str:
    """Return what a folder lacks of a model, and what to do; empty if it is complete."""
    if not (folder / "config.json").is_file():
        what = "has no config.json" if folder.is_dir() else "is no folder"
        return (
            f"{what}. Give the folder of a model that `transformers` saved, or owner/name of one "
            "of the Hugging Face hub."
        )
    weights = ["model.safetensors"]
    if (folder / INDEX).is_file() and not (folder / weights[0]).is_file():
        try:
            index = json.loads((folder / INDEX).read_text("utf-8"))
            weights = sorted(map(str, index["weight_map"].values()))
        except (ValueError, LookupError, TypeError, AttributeError):
            return f"is damaged: {folder / INDEX} cannot be read."
    elif not (folder / weights[0]).is_file():
        return (
            f"has no weights as .safetensors in {folder}. Other formats can hold code, and are not "
            "loaded: convert them, for example with `save_pretrained` of `transformers`."
        )
    for name in weights:
        if not (folder / name).is_file():
            return f"is not complete: {folder / name} is missing."
    if not any(file for each in ("tokenizer.json", *VOCABULARIES) for file in folder.glob(each)):
        return f"has no tokenizer in {folder}. `save_pretrained` of its tokenizer writes one."
    return ""
