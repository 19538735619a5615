"""The labels of a tagging task, and their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtl_bench.tasks.examples import Splits

# The paper's model tags the start and the end symbol of a sentence, too.
BOUNDARY_LABELS = ("<s>", "</s>")


def label_counts(splits: Splits) -> Counter[str]:
    """Return how often training has each label."""
    return Counter(chain.from_iterable(example.target for example in splits["train"]))


def train_labels(splits: Splits) -> list[str]:
    """Return the labels of the training split, sorted: the classes of the task."""
    return sorted(label_counts(splits))


def unseen_labels(splits: Splits) -> list[str]:
    """Return the labels that only dev or test have, sorted."""
    every = {label for split in splits.values() for example in split for label in example.target}
    return sorted(every.difference(train_labels(splits)))


class Labels:
    """The classes of one task: the labels of its training split, then the boundary labels.

    Gold labels that training lacks have negative ids, which no prediction can equal. They count
    from the end of `all_names`, so that a table over those is indexed by any id.

    >>> labels = Labels(["B-x", "O"], unseen=["I-x"])
    >>> labels.encode([("O", "I-x")]).tolist(), labels.all_names[-1]
    ([2, 1, -1, 3], 'I-x')
    """

    def __init__(self, names: Sequence[str], unseen: Sequence[str] = ()) -> None:
        """Number the labels in the order given.

        Args:
            names: labels of the training split.
            unseen: labels that only evaluated splits have.
        """
        self.names = (*names, *BOUNDARY_LABELS)
        self.unseen = tuple(unseen)
        self.start, self.end = len(names), len(names) + 1
        self._ids = {name: number for number, name in enumerate(names)}
        self._ids |= {name: -number for number, name in enumerate(self.unseen, start=1)}

    def __len__(self) -> int:
        """Return the number of classes, the two boundary labels included."""
        return len(self.names)

    @property
    def all_names(self) -> tuple[str, ...]:
        """The classes, then the unseen labels, the first of them last."""
        return (*self.names, *self.unseen[::-1])

    def ids(self, labels: Iterable[str]) -> list[int]:
        """Return the ids of labels, negative where training has none.

        Raises:
            KeyError: a label is neither a class nor named as unseen.
        """
        return [self._ids[label] for label in labels]

    def encode(self, targets: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """Return the ids of some sentences' labels, each between its boundary labels."""
        ids: list[int] = []
        for labels in targets:
            ids += (self.start, *self.ids(labels), self.end)
        return np.array(ids, dtype=np.int64)

    def state(self) -> dict[str, Any]:
        """Return the labels of the training split, and those that only others have."""
        return {"names": list(self.names[: self.start]), "unseen": list(self.unseen)}
