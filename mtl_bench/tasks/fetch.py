"""Public files: from a local mirror, the cache, or their address; checked before use."""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mtl_bench.compressed import most_bytes, too_large
from mtl_bench.errors import UserError
from mtl_bench.files import cache_folder, sha256

TIMEOUT_SECONDS = 60
MEMBER = re.compile(r"[0-9a-f]{64}  [^/].*")


@dataclass
class Source:
    """A public file, or a folder of public files.

    Attributes:
        path: its place below the data folder (the mirror or the cache).
        url: where it is downloaded from. For a folder: an archive that holds its files, or, with
            `{member}` in it, the address of each.
        sha256: what a file must hash to before it is used; None only where nobody knows.
        members: for a folder, the list of its files and their checksums, as `sha256sum` writes
            it; a file beside the task's yaml.
        archive: place of an archive of the folder, which a mirror may hold instead.
    """

    path: str
    url: str
    sha256: str | None = None
    members: str | None = None
    archive: str | None = None


@dataclass(frozen=True)
class Expected:
    """A file that a source promises: its place, its address (unless in an archive), its sha256."""

    path: str
    url: str | None
    sha256: str | None


def mirror_folder() -> Path | None:
    """Return `MTL_BENCH_MIRROR`, a folder with local copies of the public files, if it is set."""
    setting = os.environ.get("MTL_BENCH_MIRROR")
    if not setting:
        return None
    folder = Path(setting).expanduser().absolute()
    if not folder.is_dir():
        raise UserError(
            f"MTL_BENCH_MIRROR is '{setting}', which is not a folder.\n"
            "Set it to the folder that holds 'raw' and 'embeddings', or unset it to download."
        )
    return folder


def expected(source: Source, folder: Path) -> list[Expected]:
    """Return the files of a source.

    Args:
        source: a file or a folder.
        folder: where its list of members is.
    """
    for name in (source.path, source.members, source.archive):
        if name is not None and (Path(name).is_absolute() or ".." in Path(name).parts):
            raise UserError(f"sources: path '{name}' is not below the data folder.")
    # Beside them the cache holds compiled code, which a task's yaml must not replace.
    if PurePosixPath(source.path).parts[:1] not in (("raw",), ("embeddings",)):
        raise UserError(
            f"sources: path '{source.path}' is not in `raw/`, where corpora are, or `embeddings/`."
        )
    if source.members is None:
        return [Expected(source.path, source.url, source.sha256)]
    single = "{member}" in source.url
    files = []
    listing = folder / source.members
    try:
        lines = listing.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{listing}: the list of members cannot be read: {error}.") from None
    for number, line in enumerate(lines, start=1):
        digest, _, name = line.partition("  ")
        if not MEMBER.fullmatch(line) or ".." in Path(name).parts:
            raise UserError(
                f"{listing}, line {number}: expected a sha256, two blanks and a path, as written "
                f"by `sha256sum`.\n    {line[:200]!r}"
            )
        url = source.url.replace("{member}", name) if single else None
        files.append(Expected(f"{source.path}/{name}", url, digest))
    return files


def missing_files(sources: Sequence[Source], folder: Path) -> tuple[Path, list[Expected]]:
    """Return where public files belong, and those that are missing there.

    Returns:
        The mirror if it holds all files, else the cache; and the files that the cache lacks.
    """
    files = [file for source in sources for file in expected(source, folder)]
    mirror, cache = mirror_folder(), cache_folder()
    if mirror and all((mirror / file.path).is_file() for file in files):
        return mirror, []
    return cache, [file for file in files if not (cache / file.path).is_file()]


def fetch(sources: Sequence[Source], licence: str | None, folder: Path = Path()) -> Path:
    """Make sure that public files are here, and the ones expected.

    Args:
        sources: the files.
        licence: named if they cannot be had, with the place to put them by hand.
        folder: where the lists of members are.

    Returns:
        The folder that their paths are relative to, see `missing_files`.

    Raises:
        UserError: a file cannot be had, or is not the one expected.
    """
    place, missing = missing_files(sources, folder)
    for source in sources:
        of_source = [file for file in expected(source, folder) if file in missing]
        if of_source and of_source[0].url is None:
            _unpack(source, of_source, place, licence)
        else:
            for file in of_source:
                target = place / file.path
                _download(str(file.url), target, file.sha256, licence, target)
    for source in sources:
        for file in expected(source, folder):
            path = place / file.path
            # Those of the mirror as well: a local copy may be damaged, or another release.
            if file.sha256 and (digest := sha256(path)) != file.sha256:
                raise UserError(
                    f"{path}: this is not the file expected.\n"
                    f"  sha256 expected: {file.sha256}\n  sha256 found:    {digest}\n"
                    f"Delete it to download it again from {file.url or source.url}"
                )
    return place


def _unpack(source: Source, files: Sequence[Expected], place: Path, licence: str | None) -> None:
    """Put the members of an archive into their places, out of the mirror or downloaded.

    Raises:
        UserError: the archive cannot be had, is damaged, lacks a member, or has what no archive
            of these files has: absolute paths, paths with `..`, a link in place of a member.
    """
    folders = [folder for folder in (mirror_folder(), place) if folder and source.archive]
    local = next(
        (f / str(source.archive) for f in folders if (f / str(source.archive)).is_file()), None
    )
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place, prefix=".unpacking-") as temporary:
            archive = Path(temporary) / "archive"
            if local:
                archive = local
            else:
                by_hand = place / (source.archive or source.path)
                _download(source.url, archive, None, licence, by_hand)
            by_name = {file.path.removeprefix(f"{source.path}/"): file for file in files}
            checksums = {name: file.sha256 for name, file in by_name.items()}
            members = _extract(archive, checksums, Path(temporary) / "members")
            for name, file in by_name.items():
                (place / file.path).parent.mkdir(parents=True, exist_ok=True)
                members[name].replace(place / file.path)
    except (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise UserError(
            f"{local or source.url}: is not a tar archive, or is damaged: {error}."
        ) from None
    except OSError as error:
        raise UserError(
            f"{source.path}: cannot be unpacked to {place}: {error.strerror or error}.\n"
            "Set MTL_BENCH_CACHE to a folder that can be written and has room."
        ) from None


def _extract(archive: Path, checksums: Mapping[str, str | None], folder: Path) -> dict[str, Path]:
    """Unpack the members wanted, each identified by the end of its path and its checksum.

    Returns:
        The file of each.
    """
    files: dict[str, Path] = {}
    digests: dict[str, str] = {}
    with tarfile.open(archive) as tar:
        for number, member in enumerate(tar):
            parts = PurePosixPath(member.name).parts
            if member.name.startswith("/") or ".." in parts:
                raise UserError(
                    f"{archive}: has a member '{member.name}', which would lie outside of its "
                    "folder. Nothing of it is used."
                )
            # Archives put the same files below folders of different names.
            ends = ("/".join(parts[first:]) for first in range(len(parts)))
            name = next((end for end in ends if end in checksums), None)
            if name is None or name in files or member.isdir():
                continue
            if not member.isreg():
                raise UserError(
                    f"{archive}: its member '{member.name}' is a link or a device, not a file. "
                    "Nothing of it is used."
                )
            if member.size > most_bytes():
                raise too_large(
                    f"{archive}: its member '{member.name}' has {member.size / 1e9:.1f} GB."
                )
            # A folder each: an archive may hold several members of one path.
            tar.extract(member, folder / str(number), filter="data")
            file = folder / str(number) / member.name
            with file.open("rb") as stream:
                digests[name] = hashlib.file_digest(stream, "sha256").hexdigest()
            if digests[name] == checksums[name]:
                files[name] = file
    if missing := sorted(checksums.keys() - files.keys()):
        first = missing[0]
        raise UserError(
            f"{archive}: {len(missing)} of {len(checksums)} files expected are not in it, or have "
            f"other content; the first is '{first}'.\n  sha256 expected: {checksums[first]}\n"
            f"  sha256 found:    {digests.get(first, 'no such member')}\nNothing of it is used."
        )
    return files


def _download(
    url: str, target: Path, digest: str | None, licence: str | None, by_hand: Path
) -> None:
    """Download one file; it takes its place only after its checksum held."""
    import pooch  # imports requests: not wanted where nothing is downloaded

    pooch.get_logger().setLevel("WARNING")
    print(f"downloading {url}", file=sys.stderr)
    try:
        pooch.retrieve(
            url,
            known_hash=digest and f"sha256:{digest}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT_SECONDS),
        )
    except (OSError, ValueError) as error:  # requests' errors are OSErrors
        raise UserError(
            f"{by_hand.name}: cannot be downloaded.\n"
            f"  address: {url}\n"
            f"  reason:  {type(error).__name__}: {error}\n"
            f"  licence: {licence or 'see the address'}\n"
            f"Put it by hand at {by_hand} (the cache, which MTL_BENCH_CACHE names),\n"
            "or set MTL_BENCH_MIRROR to a folder that holds it (and the task's other files)."
        ) from None
