"""Public files: from a local mirror, the cache, or their address; checked before use."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtl_bench.errors import UserError

TIMEOUT_SECONDS = 60


@dataclass
class Source:
    """A public file.

    Attributes:
        path: its place below the data folder (the mirror or the cache).
        url: where it is downloaded from.
        sha256: what it must hash to before it is used; None only where nobody knows.
    """

    path: str
    url: str
    sha256: str | None


def cache_folder() -> Path:
    """Return the folder of downloads and caches (`MTL_BENCH_CACHE`, else the system's)."""
    if chosen := os.environ.get("MTL_BENCH_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mtl_bench"


def mirror_folder() -> Path | None:
    """Return `MTL_BENCH_MIRROR`, a folder with local copies of the public files, if it is set."""
    chosen = os.environ.get("MTL_BENCH_MIRROR")
    if not chosen:
        return None
    folder = Path(chosen).expanduser().absolute()
    if not folder.is_dir():
        raise UserError(
            f"MTL_BENCH_MIRROR is '{chosen}', which is not a folder.\n"
            "Set it to the folder that holds 'raw' and 'embeddings', or unset it to download."
        )
    return folder


def fetch(sources: Sequence[Source], licence: str | None) -> Path:
    """Make sure that public files are here.

    Args:
        sources: the files.
        licence: named if they cannot be had, with the place to put them by hand.

    Returns:
        The folder that their paths are relative to: the mirror if it holds them all, else the
        cache, after what it lacks was downloaded.

    Raises:
        UserError: a file cannot be had, or is not the one expected.
    """
    mirror = mirror_folder()
    if mirror and all((mirror / source.path).is_file() for source in sources):
        folder = mirror
    else:
        folder = cache_folder()
        for source in sources:
            if not (folder / source.path).exists():
                _download(source, folder, licence)
    for source in sources:
        if source.sha256 and (seen := sha256(folder / source.path)) != source.sha256:
            raise UserError(
                f"{folder / source.path}: this is not the file expected.\n"
                f"  sha256 expected: {source.sha256}\n  sha256 found:    {seen}\n"
                f"Delete it to download it again from {source.url}"
            )
    return folder


def _download(source: Source, folder: Path, licence: str | None) -> None:
    """Download one file to the cache; it takes its place only after its checksum held."""
    import pooch  # imports requests: not wanted where nothing is downloaded

    target = folder / source.path
    pooch.get_logger().setLevel("WARNING")
    print(f"downloading {source.url}", file=sys.stderr)
    try:
        pooch.retrieve(
            source.url,
            known_hash=source.sha256 and f"sha256:{source.sha256}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT_SECONDS),
        )
    except (OSError, ValueError) as error:  # requests' errors are OSErrors
        raise UserError(
            f"{source.path}: cannot be downloaded.\n"
            f"  address: {source.url}\n"
            f"  reason:  {type(error).__name__}: {error}\n"
            f"  licence: {licence or 'see the address'}\n"
            f"Put the file by hand at {target}\n"
            "or set MTL_BENCH_MIRROR to a folder that holds it (and the task's other files)."
        ) from None


def sha256(file: Path) -> str:
    """Return the sha256 of a file; remembered in the cache by path, size and time of change."""
    status = file.stat()
    state = [status.st_size, status.st_mtime_ns]
    note = _note_of(file)
    try:
        remembered = json.loads(note.read_text())
        if remembered["state"] == state:
            return str(remembered["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not remembered yet, or by a process that was killed while writing
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"file": str(file), "state": state, "sha256": digest}))
    except OSError:
        pass  # a cache that cannot be written costs time, nothing else
    return digest


def _note_of(file: Path) -> Path:
    name = hashlib.sha256(os.fsencode(file.absolute())).hexdigest()[:24]
    return cache_folder() / "checksums" / f"{name}.json"
