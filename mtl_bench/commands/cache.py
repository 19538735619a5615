"""`mtl-bench cache`: what the cache holds, and how large it is; `mtl-bench cache clear` empties it.

What is cleared is computed again when it is needed. Downloads are cleared only if they are named.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from mtl_bench.commands.shared.tables import Row, add_format, print_table
from mtl_bench.errors import UserError
from mtl_bench.files import cache_folder

HELP = "list what the cache holds, or clear it"


class Kind(NamedTuple):
    """What a folder of the cache holds, and what it costs to remove it."""

    holds: str
    without_it: str


COMPUTED = {
    "checksums": Kind("checksums of files, by size and time of change", "computed again"),
    "corpora": Kind("corpora as they were read", "read again"),
    "kernels": Kind("compiled training loops", "compiled again, in seconds"),
    "result_sets": Kind("result sets of the package, unpacked", "unpacked again"),
    "scores": Kind("scores of studies", "computed again, in minutes"),
    "states": Kind("states of frozen pretrained encoders", "computed again, in minutes to hours"),
    "vectors": Kind("word vectors of files, converted", "converted again, in a minute"),
}
DOWNLOADED = {
    "embeddings": Kind("word vectors, downloaded", "downloaded again"),
    "raw": Kind("public corpora, downloaded", "downloaded again"),
}
KINDS = {**COMPUTED, **DOWNLOADED}
OTHER = Kind("not made by this program", "never removed by it")

RECENT_SECONDS = 3600
"""An unfinished file that is younger is being written, for all that can be known."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    # Not `choices`: with nargs="?" argparse would name the wrong argument in its error.
    parser.add_argument("action", nargs="?", metavar="clear", help="remove what is in the cache")
    parser.add_argument(
        "kind",
        nargs="*",
        help=f"{', '.join(KINDS)} (default: all that is not downloaded: {', '.join(COMPUTED)})",
    )
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """List or clear."""
    if arguments.action not in (None, "clear"):
        raise UserError(
            f"'{arguments.action}' is nothing that can be done. Type `mtl-bench cache` or "
            "`mtl-bench cache clear [kind ...]`."
        )
    for kind in arguments.kind:
        if kind not in KINDS:
            raise UserError(f"there is no kind '{kind}'. Possible: {', '.join(KINDS)}.")
    if arguments.action == "clear":
        _clear(dict.fromkeys(arguments.kind or COMPUTED))
    else:
        _list(arguments.format)


def _list(style: str) -> None:
    """Print a row for each kind that is there."""
    folder = cache_folder()
    rows: list[Row] = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        kind = KINDS.get(place.name, OTHER)
        rows.append(
            {
                "kind": place.name,
                "holds": kind.holds,
                "if removed": kind.without_it,
                "entries": len(_entries(place)) if place.name in KINDS else None,
                "MB": round(_size(place) / 1e6, 1),
            }
        )
    total = f"{folder}: {_size(folder) / 1e6:,.1f} MB in all."
    notes = [f"{total} `mtl-bench cache clear [kind ...]` removes."]
    print_table(rows, style, notes, wrapped=("holds", "if removed"))


def _clear(kinds: Iterable[str]) -> None:
    """Remove the entries of some kinds, and say what was removed."""
    for kind in kinds:
        removed, size, kept = 0, 0, []
        for entry in _entries(cache_folder() / kind):
            entry_size = _size(entry)
            if _remove(entry):
                removed, size = removed + 1, size + entry_size
            else:
                kept.append(entry)
        print(f"{kind}: {removed} removed, {size / 1e6:,.1f} MB ({KINDS[kind].without_it})")
        for entry in kept:
            print(f"  left, since a process works on it: {entry}")


def _entries(folder: Path) -> list[Path]:
    """Return what is removed as a whole; of joblib's scores, the folder of each."""
    if folder.name == "scores":
        return sorted(file.parent for file in folder.rglob("output.pkl"))
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _remove(entry: Path) -> bool:
    """Remove a file or folder, unless a process works on it; return whether it is gone."""
    is_unfinished = entry.name.startswith((".", "tmp"))  # renamed when it is complete
    try:
        age = time.time() - entry.lstat().st_mtime
    except FileNotFoundError:  # renamed meanwhile: it is another entry now
        return False
    if is_unfinished and age < RECENT_SECONDS:
        return False
    if not entry.is_dir() or entry.is_symlink():
        entry.unlink(missing_ok=True)
        return True
    with ExitStack() as stack:
        try:
            for lock in _locks(entry):
                stack.enter_context(FileLock(lock, timeout=0))
        except Timeout:
            return False
        # Gone at once for others: half a folder would be taken for a whole one.
        place = Path(tempfile.mkdtemp(prefix=".removed.", dir=entry.parent))
        os.replace(entry, place)
    shutil.rmtree(place)
    return True


def _locks(entry: Path) -> Iterator[Path]:
    """Yield the lock files of a folder."""
    return (path for path in entry.rglob("*") if path.name == "lock" or path.suffix == ".lock")


def _size(path: Path) -> int:
    """Return the bytes of a file, or of those below a folder; what vanishes meanwhile counts 0."""
    total = 0
    for file in path.rglob("*") if path.is_dir() else (path,):
        with suppress(OSError):
            total += file.lstat().st_size * file.is_file()
    return total
