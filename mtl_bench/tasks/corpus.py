"""Sentences with one label a word, in named splits."""

from __future__ import annotations

import hashlib
from collections import Counter
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


class Note(NamedTuple):
    """What a reader yields beside sentences, for all that it leaves out, cuts in two or merges.

    Attributes:
        text: what happened to a line or document, such as `comment lines left out`.
        where: the place, such as `line 12`.
        times: how often it happened there.
        expected: whether it belongs to the format, and is no sign of a mistake.
    """

    text: str
    where: str
    times: int = 1
    expected: bool = False


class Remark(NamedTuple):
    """All notes of one kind about one file.

    Attributes:
        text: file and what happened.
        total: how often.
        first: the first place.
        expected: as of a `Note`.
    """

    text: str
    total: int
    first: str
    expected: bool

    def __str__(self) -> str:
        """Return a line for people."""
        return f"{self.text}: {self.total:,}" + (f", first in {self.first}" if self.first else "")


@dataclass(frozen=True)
class Corpus:
    """The sentences of one task.

    Attributes:
        task: name of the task.
        splits: sentences by split; `dev` is empty where a corpus has none.
        outside: the label that F1 leaves out (such as `O`), or None if every label counts.
        spans: name of the scheme by which labels mark spans (see `tasks.spans`), or None.
        remarks: what was left out, cut or merged on the way here.
    """

    task: str
    splits: Mapping[SplitName, tuple[Sentence, ...]]
    outside: str | None = None
    spans: str | None = None
    remarks: tuple[Remark, ...] = ()

    def __getitem__(self, split: SplitName) -> tuple[Sentence, ...]:
        """Return the sentences of a split."""
        return self.splits[split]

    def labels(self) -> list[str]:
        """Return the labels of the training split, sorted: the classes of the task."""
        return sorted({label for sentence in self["train"] for label in sentence.labels})

    def unseen_labels(self) -> list[str]:
        """Return the labels that only dev or test have, sorted."""
        every = {label for split in self.splits.values() for s in split for label in s.labels}
        return sorted(every.difference(self.labels()))

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

        Train keeps every label: a drawn sentence that has the last occurrence of one stays there.

        Args:
            share: between 0 (leave train as it is) and 1; at least one sentence is drawn.
            seed: draws the sentences; the same for every run of a study.

        Raises:
            UserError: no sentence would be left to train on, or none can be set aside.
        """
        train = self["train"]
        if self["dev"] or share == 0:
            return self
        size = max(1, round(share * len(train)))
        if size >= len(train):
            raise UserError(
                f"task '{self.task}': it has no dev split, and a share of {share:g} of its "
                f"{len(train)} training sentences leaves none to train on.\n"
                "Give the task a dev split, or a smaller `data.dev_fraction`."
            )
        drawn = np.random.default_rng(seed).choice(len(train), size, replace=False).tolist()
        left = Counter(label for sentence in train for label in set(sentence.labels))
        chosen = set()
        for number in sorted(drawn):
            labels = set(train[number].labels)
            if all(left[label] > 1 for label in labels):
                chosen.add(number)
                left.subtract(labels)
        if not chosen:
            raise UserError(
                f"task '{self.task}': it has no dev split, and each sentence drawn for one has a "
                "label that no other training sentence has.\n"
                "Give the task a dev split, or type `data.dev_fraction=0 data.eval_split=test`."
            )
        text = "train: sentences set aside as dev (data.dev_fraction)"
        remarks = [Remark(text, len(chosen), "", True)]
        if kept := len(drawn) - len(chosen):
            text = "train: sentences kept that were drawn for dev, for labels found nowhere else"
            remarks.append(Remark(text, kept, "", True))
        return replace(
            self,
            splits={
                "train": tuple(s for i, s in enumerate(train) if i not in chosen),
                "dev": tuple(train[i] for i in sorted(chosen)),
                "test": self["test"],
            },
            remarks=(*self.remarks, *remarks),
        )
