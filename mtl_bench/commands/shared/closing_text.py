"""The text that a sweep ends with, kept with a checksum of all that it follows from.

Study and page take many seconds, and the command of a finished sweep is typed often.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import joblib
from omegaconf import OmegaConf

from mtl_bench.commands.shared.study_pipeline import configuration
from mtl_bench.files import write_atomically
from mtl_bench.runs.sweep_folder import RunStatus

TEXT_VERSION = 2
"""Raised when code changes the study, the page or the text of the same runs and settings."""

COMPUTES = ("numpy", "scipy", "scikit-learn", "matplotlib", "jinja2")
FILE = ".closing.json"


class ClosingText:
    """The text that a sweep's study ended with, beside a checksum of all that it follows from.

    These are the runs and the settings, and the files of study and report, so that all is done
    again when one of them is gone or was written by another study.
    """

    def __init__(
        self, sweep: Path, statuses: Sequence[RunStatus], overrides: Sequence[str]
    ) -> None:
        """Take the sweep's folder, its runs, and the overrides of its study."""
        self.sweep = sweep
        self.file = sweep / "study" / FILE
        versions = [TEXT_VERSION, *map(version, COMPUTES)]
        settings = OmegaConf.to_yaml(configuration(overrides))
        self._inputs = (str(sweep), versions, settings, repr(statuses))

    def read(self) -> str | None:
        """Return the text; None if there is none, or something has changed since."""
        with suppress(OSError, ValueError, KeyError, TypeError):  # not there, or damaged
            content = json.loads(self.file.read_text("utf-8"))
            if content["checksum"] == self._checksum():
                return str(content["text"])
        return None

    def write(self, text: str) -> None:
        """Keep a text, once study and report are written."""
        content = json.dumps({"checksum": self._checksum(), "text": text})
        self.file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.file, content)

    def _checksum(self) -> str:
        files = sorted(
            file
            for part in ("study", "report")
            for file in (self.sweep / part).rglob("*")
            if file.is_file() and file.name != FILE
        )
        # Contents rather than times: `mtl-bench study` may have written the same files again.
        contents = [(str(f), hashlib.sha256(f.read_bytes()).hexdigest()) for f in files]
        return str(joblib.hash((self._inputs, contents)))
