"""Corpora that were read before, kept so that the next run need not parse them again."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mtl_bench.files import cache_folder
from mtl_bench.tasks.corpus import SPLITS, Remark, Sentence, SplitName

Splits = dict[SplitName, tuple[Sentence, ...]]
Reading = tuple[Splits, tuple[Remark, ...]]
READERS = "mtl_bench.tasks.readers."
DIGEST = hashlib.sha256().digest_size
KEPT = 4  # of one task: its variants


class CorpusCache:
    """The place of one corpus in the cache.

    The place follows from all that decides what is read: the files' checksums, the reader and its
    options, the cut of the splits, and the code of this package's tasks. What a reader of the
    user's own yields is not kept, since nobody knows what code it calls; nor is what reads no file.
    """

    def __init__(
        self,
        name: str,
        reader: Mapping[str, Any],
        splits: Mapping[str, Any],
        checksums: Mapping[str, str],
    ) -> None:
        """Describe the corpus."""
        self.file: Path | None = None
        if checksums and str(reader.get("_target_")).startswith(READERS):
            cuts = {split: [w.file, w.part, w.sentences] for split, w in splits.items()}
            key = json.dumps([repr(reader), cuts, dict(checksums), _code()], sort_keys=True)
            digest = hashlib.sha256(key.encode()).hexdigest()[:24]
            self.file = cache_folder() / "corpora" / f"{name}-{digest}.npz"

    def load(self) -> Reading | None:
        """Return splits and remarks, or None if they are not there as they were saved."""
        if self.file is None:
            return None
        try:
            content = self.file.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
            return None  # damaged: it is read anew
        with np.load(io.BytesIO(content[DIGEST:])) as kept:
            strings = json.loads(kept["strings"].tobytes())
            remarks = tuple(Remark(*remark) for remark in json.loads(kept["remarks"].tobytes()))
            return {split: _sentences(kept, split, strings) for split in SPLITS}, remarks

    def save(self, splits: Splits, remarks: tuple[Remark, ...]) -> None:
        """Write splits and remarks; a cache that cannot be written costs time, nothing else."""
        if self.file is None:
            return
        ids: dict[str, int] = {}
        arrays: dict[str, Any] = {}
        for split in SPLITS:
            for field in Sentence._fields:
                values = (getattr(sentence, field) for sentence in splits[split])
                arrays[f"{split}.{field}"] = np.fromiter(
                    (ids.setdefault(text, len(ids)) for text in chain.from_iterable(values)), "i4"
                )
            arrays[f"{split}.lengths"] = np.array([len(s.words) for s in splits[split]], "i4")
        for name, text in (("strings", json.dumps(list(ids))), ("remarks", json.dumps(remarks))):
            arrays[name] = np.frombuffer(text.encode(), np.uint8)
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        content = stream.getvalue()
        aside = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(hashlib.sha256(content).digest() + content)
            aside.replace(self.file)
            self._remove_old()
        except OSError:
            with suppress(OSError):
                aside.unlink()

    def _remove_old(self) -> None:
        """Remove what earlier code or files left of this corpus, but for the latest few."""
        assert self.file is not None
        name = self.file.name.rsplit("-", 1)[0]
        there = [f for f in self.file.parent.glob(f"{name}-*") if f.name.rsplit("-", 1)[0] == name]
        for file in sorted(there, key=lambda file: file.stat().st_mtime)[:-KEPT]:
            file.unlink(missing_ok=True)


def _sentences(kept: Any, split: str, strings: list[str]) -> tuple[Sentence, ...]:
    words = [strings[n] for n in kept[f"{split}.words"].tolist()]
    labels = [strings[n] for n in kept[f"{split}.labels"].tolist()]
    ends = [0, *np.cumsum(kept[f"{split}.lengths"]).tolist()]
    return tuple(Sentence(tuple(words[a:b]), tuple(labels[a:b])) for a, b in pairwise(ends))


def _code() -> str:
    """Return a checksum of the code that reads corpora."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
