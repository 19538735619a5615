"""The classes of a task with one label a sentence, and their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtl_bench.tasks.examples import Splits


def class_counts(splits: Splits) -> Counter[str]:
    """Return how often training has each class."""
    return Counter(example.target for example in splits["train"])


class Classes:
    """The classes of the training split; those that only other splits have get negative ids.

    >>> Classes(["bad", "good"], unseen=["fair"]).encode(["good", "fair"]).tolist()
    [1, -1]
    """

    def __init__(self, names: Sequence[str], unseen: Sequence[str] = ()) -> None:
        """Number the classes in the order given.

        Args:
            names: classes of the training split.
            unseen: classes that only evaluated splits have.
        """
        self.names = tuple(names)
        self.unseen = tuple(unseen)
        self._ids = {name: number for number, name in enumerate(names)}
        self._ids |= {name: -number for number, name in enumerate(unseen, start=1)}

    def __len__(self) -> int:
        """Return the number of classes that training has."""
        return len(self.names)

    def encode(self, targets: Sequence[str]) -> NDArray[np.int64]:
        """Return [sentences] the ids of classes.

        Raises:
            KeyError: a class is neither one of training nor named as unseen.
        """
        return np.array([self._ids[target] for target in targets], dtype=np.int64)

    def state(self) -> dict[str, Any]:
        """Return the classes of the training split, and those that only others have."""
        return {"names": list(self.names), "unseen": list(self.unseen)}
