"""Result sets: the finished runs of a sweep as one file, which is read as any other sweep.

A file `<name>.tar.xz` holds `about.json`, which says what the runs are, and what the folder of a
sweep holds: plan.json, and record.json and curve.csv of each run. Those that belong to the package
lie in `mtl_bench/atlas`, and go by their names. To be read they are unpacked into the cache.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mtl_bench.compressed import open_file
from mtl_bench.errors import UserError
from mtl_bench.files import cache_folder, filled_at_once, sha256
from mtl_bench.runs.seal import DAMAGE

ATLAS = Path(__file__).parents[1] / "atlas"
SUFFIX = ".tar.xz"
ABOUT = "about.json"
MOST_GB = 0.5
"""What a set may expand to: ten times the largest of the package."""
DAMAGED = (tarfile.TarError, OSError, EOFError, *DAMAGE)


@dataclass(frozen=True)
class About:
    """What a result set is.

    Attributes:
        title: one line.
        licence: of its numbers.
        commands: that trained the runs.
        tasks: names, sorted.
        runs: number of them.
        seeds: of the runs, ascending.
        budgets: steps per task, ascending.
        steps: optimiser steps of all runs.
        train_seconds: of all processes together.
        versions: of the packages that computed.
        commits: of the code.
    """

    title: str
    licence: str
    commands: Sequence[str]
    tasks: Sequence[str]
    runs: int
    seeds: Sequence[int]
    budgets: Sequence[float]
    steps: int
    train_seconds: float
    versions: dict[str, str]
    commits: Sequence[str]

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def packaged() -> dict[str, Path]:
    """Return the files of the package's own result sets, by name."""
    return {file.name.removesuffix(SUFFIX): file for file in sorted(ATLAS.glob(f"*{SUFFIX}"))}


def is_result_set(folder: Path) -> bool:
    """Return whether a folder is an unpacked result set."""
    return (folder / ABOUT).is_file()


def about(folder: Path) -> About:
    """Return what an unpacked result set is."""
    return About(**json.loads((folder / ABOUT).read_text("utf-8")))


def unpacked(file: Path) -> Path:
    """Return the folder of a result set; it is unpacked if the cache does not have it.

    Raises:
        UserError: the file is no result set, or damaged.
    """
    name = file.name.removesuffix(SUFFIX)
    folder = cache_folder() / "result_sets" / sha256(file)[:24] / name
    if folder.is_dir():
        return folder
    try:
        # As a whole: read bit by bit, a file that is cut off is taken for one that ends there.
        with open_file(file, most_gb=MOST_GB) as stream:
            content = io.BytesIO(stream.read())
        # Not compressed once more, nor sparse: either would expand beyond the limit.
        with (
            tarfile.open(fileobj=content, mode="r:") as archive,
            filled_at_once(folder) as temporary,
        ):
            if odd := [m.name for m in archive if m.issparse() or not (m.isreg() or m.isdir())]:
                raise ValueError(f"{odd[0]!r} in it is no plain file")
            archive.extractall(temporary, filter="data")
            about(temporary)
    except DAMAGED as error:
        raise UserError(
            f"{file}: is no result set, or damaged ({type(error).__name__}: {error}). "
            "`mtl-bench results make` makes one."
        ) from None
    return folder
