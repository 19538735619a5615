"""The text that a sweep ends with, kept with a checksum of all that it follows from.

Study and page take many seconds, and the command of a finished sweep is typed often.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from mtl_bench.config.compose import conf_folder
from mtl_bench.files import write_atomically
from mtl_bench.runs.curve import CURVE
from mtl_bench.runs.sweep_folder import RunStatus

COMPUTES = ("numpy", "scipy", "scikit-learn", "matplotlib", "jinja2")
PACKAGE = Path(__file__).parents[2]


class ClosingText:
    """The text that a sweep's study ended with, beside a checksum of all that it follows from.

    These are the runs, the settings, our code and what it computes with; and the files of study
    and report, so that all is done again when one of them is gone or was written by another study.
    """

    def __init__(self, sweep: Path, stored: Sequence[RunStatus], overrides: Sequence[str]) -> None:
        """Take the sweep's folder, its runs, and the overrides of its study."""
        self.sweep = sweep
        self.file = sweep / "study" / ".parts" / "closing.json"
        curves = [sweep / run.run.folder / CURVE for run in stored]
        files = [*curves, *_below(PACKAGE), *_below(conf_folder())]
        versions = [sys.version, *map(version, COMPUTES)]
        self._inputs = f"{sweep} {list(overrides)} {versions} {stored} {_checksum(files)}"

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
        written = [file for part in ("study", "report") for file in _below(self.sweep / part)]
        return hashlib.sha256(f"{self._inputs} {_checksum(written)}".encode()).hexdigest()


def _below(folder: Path) -> list[Path]:
    """Return the files below a folder, without those that are kept to save time."""
    caches = {".parts", "__pycache__"}
    return [file for file in folder.rglob("*") if not caches & set(file.relative_to(folder).parts)]


def _checksum(files: Iterable[Path]) -> str:
    """Return a sha256 of the names and contents of files; of those that can be read."""
    digest = hashlib.sha256()
    for file in sorted(files):
        with suppress(OSError):  # a folder, or gone
            digest.update(f"{file} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
