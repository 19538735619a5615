"""Pretrained transformers: a folder, or a name of the Hugging Face hub, and what is in it.

`transformers` is an optional package, imported where a model is loaded and not before.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.files import sha256
from mtl_bench.text.model_files import FILES, VOCABULARIES, files_of, lack_of
from mtl_bench.text.subwords import Subwords

HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?(@\w[\w.-]*(/\w[\w.-]*)*)?")
"""A model of the hub, and a revision of it."""

LONGEST = 512
"""Sub-words that are read at once, if a model takes more: attention costs the square of them."""


class PretrainedModel:
    """A pretrained transformer, by its folder or by `owner/name[@revision]` of the hub.

    Weights are read from safetensors only, and no code that comes with a model is run.
    """

    def __init__(self, name: str) -> None:
        """Take the name; nothing is read before it is asked for."""
        if not isinstance(name, str) or not name.strip():
            raise ValueError(
                f"model is {name!r}; it is a folder, or owner/name of a model of the Hugging Face "
                "hub."
            )
        self.name = name

    def __repr__(self) -> str:
        """Return the name."""
        return f"PretrainedModel({self.name!r})"

    def is_here(self) -> bool:
        """Return whether nothing need be downloaded."""
        if find_spec("huggingface_hub") is None or not self._is_of_hub():
            return True  # an error says more, later
        return self._snapshot(local_only=True) is not None

    @cached_property
    def folder(self) -> Path:
        """The model's folder, after downloading it into the hub's own cache if it is not there.

        Raises:
            UserError: it is not there, or not complete.
        """
        _require_transformers()
        folder = Path(self.name).expanduser()
        if self._is_of_hub():
            folder = self._snapshot(local_only=True) or self._download()
        if lack := lack_of(folder):
            raise UserError(f"model: '{self.name}' {lack}")
        return folder

    def _is_of_hub(self) -> bool:
        return not Path(self.name).expanduser().is_dir() and bool(HUB_NAME.fullmatch(self.name))

    def _snapshot(self, local_only: bool) -> Path | None:
        """Return the folder in the hub's cache; None if only that is asked and it is not there."""
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

        repository, _, revision = self.name.partition("@")
        try:
            folder = snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=[*FILES, *VOCABULARIES],
                ignore_patterns=["*/*"],  # conversions to other programs' formats
                local_files_only=local_only,
            )
        except (LocalEntryNotFoundError, HFValidationError):
            if local_only:
                return None
            raise
        # Other programs leave some of the files there, as does a download that was cut short.
        return None if local_only and lack_of(Path(folder)) else Path(folder)

    def _download(self) -> Path:
        try:
            folder = self._snapshot(local_only=False)
        except Exception as error:  # of the hub, the network, the disk, by several packages
            raise UserError(
                f"model: '{self.name}' is no folder here, and cannot be had from the Hugging Face "
                f"hub: {first_line(error)}\nCheck the name and the network, or give a folder."
            ) from None
        assert folder is not None  # only of a local search
        return folder

    def lasting_name(self) -> str:
        """Return a name by which it is found from whatever folder."""
        return self.name if self._is_of_hub() else str(Path(self.name).expanduser().absolute())

    def checksum(self) -> str:
        """Return the sha256 over the files that are read, by name."""
        digest = hashlib.sha256()
        for file in files_of(self.folder):
            digest.update(f"{file.name} {sha256(file)}\n".encode())
        return digest.hexdigest()

    @cached_property
    def config(self) -> dict[str, Any]:
        """The content of config.json."""
        path = self.folder / "config.json"
        try:
            content = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise UserError(f"{path}: is damaged ({error}).") from None
        if not isinstance(content, dict):
            raise UserError(f"{path}: is damaged (it holds no object).")
        return content

    def number(self, *names: str) -> int | None:
        """Return the number that config.json has by one of some names; types of models differ."""
        numbers = (self.config.get(name) for name in names)
        return next((number for number in numbers if type(number) is int), None)

    def failure(self, what: str, error: Exception) -> UserError:
        """Return the error that says why `what` cannot be loaded."""
        reason = f"{first_line(error)} ({type(error).__name__})"
        if "trust_remote_code" in str(error):
            reason = (
                "it comes with code of its own, which is not run. Choose a model that "
                "`transformers` itself knows."
            )
        return UserError(f"model: {what} of '{self.name}' cannot be loaded: {reason}")

    def subwords(self) -> Subwords:
        """Return how words are split for the model."""
        from transformers import AutoTokenizer

        with quiet_transformers():
            try:
                tokenizer = AutoTokenizer.from_pretrained(
                    self.folder, local_files_only=True, trust_remote_code=False
                )
            except Exception as error:  # damaged files raise anything
                raise self.failure("the tokenizer", error) from None
        if not tokenizer.is_fast:
            raise UserError(
                f"model: the tokenizer of '{self.name}' is none that `transformers` calls fast, "
                "and cannot tell which sub-words are a word's. Choose another model."
            )
        text = tokenizer.backend_tokenizer.to_str()
        window = self._window()
        subwords = Subwords(
            text,
            tokenizer.unk_token_id,
            tokenizer.pad_token_id,
            window,
            tokenizer.mask_token_id,
        )
        if subwords.room < 1:
            raise UserError(
                f"model: '{self.name}' reads {window} sub-words at once, its own included: no word "
                "fits. Choose another model."
            )
        return subwords

    def _window(self) -> int:
        """Return how many sub-words the model reads at once, those of its own included."""
        positions = self.number("max_position_embeddings", "n_positions") or 0
        # RoBERTa and others count positions from the id of the padding on, which is a small one.
        padding = self.number("pad_token_id") or 0
        behind = padding + 1 if padding <= 3 else 0
        return min(positions - behind, LONGEST) if positions > 0 else LONGEST


def first_line(error: Exception) -> str:
    """Return what an error says first; texts of other packages go on with advice of theirs."""
    return (str(error).strip().splitlines() or ["no reason given"])[0]


def _require_transformers() -> None:
    if find_spec("transformers") is None:
        raise UserError(
            "pretrained encoders need a package that is not installed:\n"
            "  pip install 'mtl-bench[transformers]'"
        )


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep progress bars and remarks of `transformers` away while something is loaded."""
    from transformers.utils import logging as module

    logging: Any = module  # which is not typed
    verbosity, shows_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shows_bars:
            logging.enable_progress_bar()
