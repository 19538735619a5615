"""The first line of a checkpoint: what run it is of, readable without torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mtl_bench.runs.seal import DAMAGE

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class CheckpointHeader:
    """Of which run a checkpoint is, and how far that run is trained.

    Attributes:
        run_key: of the run; empty if the header cannot be read.
        step: optimiser steps done.
        sha256: of what follows the header; empty in files of earlier versions.
    """

    run_key: str
    step: int
    sha256: str = ""

    def line(self) -> bytes:
        """Return the header as the first line of a checkpoint; torch's bytes follow."""
        return json.dumps(asdict(self)).encode() + b"\n"


def read_header(folder: Path) -> CheckpointHeader | None:
    """Return the header of a run's checkpoint; None if there is no checkpoint."""
    try:
        with (folder / CHECKPOINT).open("rb") as stream:
            # A limit: what is no checkpoint of ours may have gigabytes before its first line ends.
            header = CheckpointHeader(**json.loads(stream.readline(1000)))
    except FileNotFoundError:
        return None
    except (OSError, *DAMAGE):
        return CheckpointHeader("", 0)
    is_ours = isinstance(header.run_key, str) and type(header.step) is int
    return header if is_ours else CheckpointHeader("", 0)
