"""The examples of one task, in named splits."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import SPLITS, Example, Remark, SplitName
from mtl_bench.tasks.types.base import TaskType


@dataclass(frozen=True)
class Corpus:
    """The examples of one task.

    Attributes:
        task: name of the task.
        splits: examples by split; `dev` is empty where a corpus has none.
        type: says what the targets are.
        remarks: what was left out, cut or merged on the way here.
    """

    task: str
    splits: Mapping[SplitName, tuple[Example, ...]]
    type: TaskType[Any]
    remarks: tuple[Remark, ...] = ()

    def __getitem__(self, split: SplitName) -> tuple[Example, ...]:
        """Return the examples of a split."""
        return self.splits[split]

    def words(self, *splits: SplitName) -> Iterator[str]:
        """Yield every word of some splits (by default of all), repeats included."""
        for split in splits or self.splits:
            for example in self[split]:
                yield from example.words

    def refuse_unusable(self, split: SplitName) -> None:
        """Check that a split can be evaluated with what training has.

        Raises:
            UserError: it cannot.
        """
        if not self[split]:
            raise UserError(
                f"task '{self.task}' has no {split} split to evaluate on.\nGive it one, or set a "
                "share of train aside with `data.dev_fraction=0.1`."
            )
        try:
            self.type.refuse(self.splits, split)
        except UserError as error:
            raise UserError(f"task '{self.task}': {error}") from None

    def fingerprint(self) -> str:
        """Return a sha256 over all words, targets and split borders."""
        digest = hashlib.sha256()
        for split in SPLITS:
            # ASCII's separators of groups, records and units: a blank may be part of a word.
            digest.update(f"\x1d{split}".encode())
            for words, target in self.splits.get(split, ()):
                texts = (*words, *self.type.texts(target))
                digest.update(b"\x1e" + "\x1f".join(texts).encode())
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
        # Drawn from numbers, not from words: the same sentences whatever input normalises them.
        candidates = np.random.default_rng(seed).choice(len(train), size, replace=False).tolist()
        dev_numbers = self._without_last_occurrences(sorted(candidates))
        if not dev_numbers:
            raise UserError(
                f"task '{self.task}': it has no dev split, and each sentence drawn for one has a "
                "label that no other training sentence has.\n"
                "Give the task a dev split, or type `data.dev_fraction=0 data.eval_split=test`."
            )
        text = "train: sentences set aside as dev (data.dev_fraction)"
        remarks = [Remark(text, len(dev_numbers), "", True)]
        if spare := len(candidates) - len(dev_numbers):
            text = "train: sentences kept that were drawn for dev, for labels found nowhere else"
            remarks.append(Remark(text, spare, "", True))
        return replace(
            self,
            splits={
                "train": tuple(s for i, s in enumerate(train) if i not in dev_numbers),
                "dev": tuple(train[i] for i in sorted(dev_numbers)),
                "test": self["test"],
            },
            remarks=(*self.remarks, *remarks),
        )

    def _without_last_occurrences(self, candidates: list[int]) -> set[int]:
        """Return those of some training sentences without which train still has every class."""
        train = self["train"]
        counts: Counter[Hashable] = Counter()
        for example in train:
            counts.update(set(self.type.classes(example.target)))
        removable = set()
        for number in candidates:
            classes = set(self.type.classes(train[number].target))
            if all(counts[each] > 1 for each in classes):
                removable.add(number)
                counts.subtract(classes)
        return removable
