"""Corpora that were read before, kept so that the next run need not parse them again."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mtl_bench.files import cached_path, read_cached, write_cached
from mtl_bench.tasks.examples import SPLITS, Example, Remark, SplitName

CachedSplits = dict[SplitName, tuple[Example, ...]]
Reading = tuple[CachedSplits, tuple[Remark, ...]]
READERS = "mtl_bench.tasks.readers."
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
            inputs = (repr(reader), sorted(cuts.items()), sorted(checksums.items()), _code())
            self.file = cached_path("corpora", name, *inputs)

    def load(self) -> Reading | None:
        """Return splits and remarks, or None if they are not there as they were saved."""
        content = read_cached(self.file) if self.file else None
        if content is None:
            return None
        with np.load(io.BytesIO(content)) as arrays:
            strings = _unpacked(arrays["strings"])
            remarks = tuple(Remark(*remark) for remark in _unpacked(arrays["remarks"]))
            return {split: _examples(arrays, split, strings) for split in SPLITS}, remarks

    def save(self, splits: CachedSplits, remarks: tuple[Remark, ...]) -> None:
        """Write splits and remarks; a cache that cannot be written costs time, nothing else."""
        if self.file is None:
            return
        ids: dict[str, int] = {}

        def numbers(texts: Sequence[Sequence[str]]) -> Any:
            flat = chain.from_iterable(texts)
            return np.fromiter((ids.setdefault(text, len(ids)) for text in flat), "i4")

        arrays: dict[str, Any] = {}
        for split in SPLITS:
            examples = splits[split]
            arrays[f"{split}.lengths"] = np.array([len(e.words) for e in examples], "i4")
            arrays[f"{split}.words"] = numbers([example.words for example in examples])
            # Labels repeat as words do: as numbers they take a tenth of the space and time.
            targets = [example.target for example in examples]
            if all(map(_is_a_text_per_word, examples)):
                arrays[f"{split}.labels"] = numbers(targets)
            else:
                arrays[f"{split}.targets"] = _packed(targets)
        arrays |= {"strings": _packed(list(ids)), "remarks": _packed(remarks)}
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        write_cached(self.file, stream.getvalue())
        self._remove_old()

    def _remove_old(self) -> None:
        """Remove what earlier code or files left of this corpus, but for the latest few."""
        assert self.file is not None
        name = self.file.name.rsplit("-", 1)[0]
        files = [f for f in self.file.parent.glob(f"{name}-*") if f.name.rsplit("-", 1)[0] == name]
        for file in sorted(files, key=lambda file: file.stat().st_mtime)[:-KEPT]:
            file.unlink(missing_ok=True)


def _is_a_text_per_word(example: Example) -> bool:
    """Return whether a target can be stored as words are: each different text once."""
    words, target = example
    is_tuple = isinstance(target, tuple) and len(target) == len(words)
    return is_tuple and all(isinstance(text, str) for text in target)


def _examples(arrays: Any, split: str, strings: list[str]) -> tuple[Example, ...]:
    words = [strings[n] for n in arrays[f"{split}.words"].tolist()]
    ends = [0, *np.cumsum(arrays[f"{split}.lengths"]).tolist()]
    if f"{split}.labels" in arrays:
        labels = [strings[n] for n in arrays[f"{split}.labels"].tolist()]
        return tuple(Example(tuple(words[a:b]), tuple(labels[a:b])) for a, b in pairwise(ends))
    targets = _unpacked(arrays[f"{split}.targets"])
    return tuple(
        Example(tuple(words[a:b]), target)
        for (a, b), target in zip(pairwise(ends), targets, strict=True)
    )


def _packed(content: Any) -> Any:
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


def _unpacked(array: Any) -> Any:
    return json.loads(array.tobytes())


def _code() -> str:
    """Return a checksum of the code that reads corpora."""
    digest = hashlib.sha256()
    # Whatever is used to parse counts: a version number would have to be raised by hand.
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
