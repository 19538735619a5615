"""Sentences with one label a word, in named splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from mtl_bench.errors import UserError

SplitName = Literal["train", "dev", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "dev", "test")


class Sentence(NamedTuple):
    """A sentence: as many labels as words."""

    words: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    """The sentences of one task.

    Attributes:
        task: name of the task.
        splits: sentences by split; `dev` is empty where a corpus has none.
        outside: the label that F1 leaves out (such as `O`), or None if every label counts.
        spans: `bio` if the labels mark spans (`B-x I-x O`), else None.
    """

    task: str
    splits: Mapping[SplitName, tuple[Sentence, ...]]
    outside: str | None = None
    spans: str | None = None

    def __getitem__(self, split: SplitName) -> tuple[Sentence, ...]:
        """Return the sentences of a split."""
        return self.splits[split]

    def labels(self) -> list[str]:
        """Return the labels of the training split, sorted: the classes of the task."""
        return sorted({label for sentence in self["train"] for label in sentence.labels})

    def words(self) -> Iterator[str]:
        """Yield every word of every split, repeats included."""
        for sentences in self.splits.values():
            for sentence in sentences:
                yield from sentence.words

    def fingerprint(self) -> str:
        """Return a sha256 over all words, labels and split borders.

        >>> one = Corpus("t", {"train": (Sentence(("a", "b"), ("x", "y")),)})
        >>> two = Corpus("t", {"train": (Sentence(("a",), ("x",)), Sentence(("b",), ("y",)))})
        >>> one.fingerprint() == two.fingerprint()
        False
        """
        digest = hashlib.sha256()
        for split in SPLITS:
            digest.update(f"\x1d{split}".encode())
            for words, labels in self.splits.get(split, ()):
                digest.update(b"\x1e" + "\x1f".join((*words, *labels)).encode())
        return digest.hexdigest()

    def with_dev(self, share: float, seed: int) -> Corpus:
        """Move a seeded share of train to dev, if the corpus has no dev of its own.

        Args:
            share: between 0 (leave train as it is) and 1; at least one sentence is moved.
            seed: draws the sentences; the same for every run of a study.
        """
        train = self["train"]
        if self["dev"] or share == 0:
            return self
        size = max(1, round(share * len(train)))
        if size >= len(train):
            raise UserError(
                f"task '{self.task}': it has no dev split, and a share of {share:g} of its "
                f"{len(train)} training sentences leaves none to train on.\n"
                "Give the task a dev split, or a smaller `data.dev_share`."
            )
        chosen = set(np.random.default_rng(seed).choice(len(train), size, replace=False).tolist())
        return replace(
            self,
            splits={
                "train": tuple(s for i, s in enumerate(train) if i not in chosen),
                "dev": tuple(train[i] for i in sorted(chosen)),
                "test": self["test"],
            },
        )
