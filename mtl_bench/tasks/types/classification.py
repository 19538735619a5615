"""Classification: one class a sentence, of a set that is closed in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtl_bench.errors import UserError
from mtl_bench.tasks.checks.findings import Finding, counted, most_common
from mtl_bench.tasks.entropy import entropy
from mtl_bench.tasks.examples import Example, SplitName, Splits
from mtl_bench.tasks.types.base import Metric, TaskType
from mtl_bench.tasks.types.classes import Classes, class_counts

POOLINGS = ("attention", "mean")
SHOWN = 20  # classes that a message lists


@dataclass(frozen=True)
class Classification(TaskType[Classes]):
    """One class a sentence.

    Attributes:
        pooling: how a sentence's states become one: `attention` (a learned weight for each step) or
            `mean`.
    """

    name = "classification"
    level = "sentence"
    metrics: ClassVar[Mapping[str, Metric]] = {
        "accuracy": Metric("accuracy"),
        "macro_f1": Metric("macro F1"),
    }
    pooling: str = "attention"

    def __post_init__(self) -> None:
        """Check the options."""
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling is {self.pooling!r}; it is one of {', '.join(POOLINGS)}")

    def validate(self, example: Example) -> None:
        """Check that the target is a class."""
        if not isinstance(example.target, str) or not example.target.strip():
            raise ValueError(
                f"its target is {example.target!r}; it is the class of the sentence, as text"
            )

    def fit(self, splits: Splits) -> Classes:
        """Return the classes: of train, and those that only other splits have."""
        names = sorted(class_counts(splits))
        every = {example.target for split in splits.values() for example in split}
        return Classes(names, sorted(every.difference(names)))

    def restore(self, state: Mapping[str, Any]) -> Classes:
        """Return the classes that a trained head knows."""
        return Classes(state["names"], state["unseen"])

    def with_examples(self, targets: Classes, examples: Sequence[Example]) -> Classes:
        """Return the classes, and behind them those that only the examples have."""
        others = {example.target for example in examples}
        if examples and others.isdisjoint(targets.names):
            raise UserError(
                "no class of the data is one of the tagger's.\n"
                f"  data: {_listed(others)}\n  tagger: {_listed(targets.names)}\n"
                "Is it the right task, and the right column of labels?"
            )
        known = {*targets.names, *targets.unseen}
        return Classes(targets.names, [*targets.unseen, *sorted(others - known)])

    def scorer(self, targets: Classes) -> ClassScorer:
        """Return a scorer of classes."""
        return ClassScorer(targets)

    def refuse(self, splits: Splits, split: SplitName) -> None:
        """Check that a split has a class of train."""
        counts, own = class_counts(splits), {example.target for example in splits[split]}
        if own.isdisjoint(counts):
            raise UserError(
                f"its train and {split} splits have no class in common.\n"
                f"  train: {_listed(counts)}\n  {split}: {_listed(own)}\n"
                "Check the label column, and whether the files belong together."
            )

    def check(self, splits: Splits) -> Iterator[Finding]:
        """Yield what is to be said of the classes, and of those that only other splits have."""
        counts = class_counts(splits)
        text = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(12))
        more = f", and {len(counts) - 12} more" if len(counts) > 12 else ""
        yield Finding("ok", f"{counted(counts, 'class', 'classes')} in train: {text}{more}.")
        if len(counts) < 2:
            yield Finding(
                "error", "A single class leaves nothing to learn. Is it the right column?"
            )
        if len(counts) > counts.total() / 3:
            yield Finding(
                "error", "Every third sentence has a class of its own. Is it the right column?"
            )
        once = Counter({name: count for name, count in counts.items() if count == 1})
        if once and len(counts) > 1:
            yield Finding(
                "warning",
                f"{counted(once, 'class', 'classes')} of train with one sentence: "
                f"{most_common(once)}. A header line, or a slip of annotation?",
            )
        spellings: dict[str, list[str]] = {}
        for name in counts:
            spellings.setdefault(name.lower(), []).append(name)
        variants = [" and ".join(group) for group in spellings.values() if len(group) > 1]
        if variants:
            text = f"Classes that differ in case only: {', '.join(variants[:5])}."
            yield Finding("warning", f"{text} They count as different.")
        for split in ("dev", "test"):
            own = Counter(example.target for example in splits[split])
            unseen = Counter({name: n for name, n in own.items() if name not in counts})
            if unseen and len(unseen) < len(own):  # else it was refused above
                yield Finding(
                    "warning",
                    f"{split} has {counted(unseen, 'class', 'classes')} that train has not: "
                    f"{most_common(unseen)}. No model can find them; they count as misses.",
                )

    def remarks(self, splits: Splits, split: SplitName) -> Iterator[str]:
        """Yield how many sentences no model can get right."""
        counts = class_counts(splits)
        misses = sum(example.target not in counts for example in splits[split])
        if misses:
            yield f"sentences whose class train lacks, misses by rule: {misses:,}"

    def statistics(
        self,
        train: Sequence[Example],
        max_length: int | None,  # noqa: ARG002 (a class is of the whole sentence)
    ) -> dict[str, float | None]:
        """Return the number of classes, and their entropy in nats."""
        counts = Counter(example.target for example in train)
        return {"labels": len(counts), "label_entropy": entropy(list(counts.values()))}

    def classes(self, target: Any) -> Collection[Hashable]:
        """Return the class."""
        return (target,)

    def texts(self, target: Any) -> Sequence[str]:
        """Return the class."""
        return (target,)


class ClassScorer:
    """Accuracy, and the mean F1 over the classes that occur, in gold labels or predictions."""

    def __init__(self, targets: Classes) -> None:
        """Count for each class, those that training lacks included."""
        size = len(targets) + len(targets.unseen)
        self.gold, self.predicted, self.hits = (np.zeros(size, dtype=np.int64) for _ in range(3))
        self.unseen = 0

    def update(
        self,
        predictions: NDArray[np.int64],
        gold: NDArray[np.int64],
        lengths: NDArray[np.int64],  # noqa: ARG002 (one class, however long the sentence)
    ) -> None:
        """Count [sentences] predictions and gold classes."""
        # Negative ids count from the end, where unseen classes stand.
        np.add.at(self.gold, gold, 1)
        np.add.at(self.predicted, predictions, 1)
        np.add.at(self.hits, gold[predictions == gold], 1)
        self.unseen += int((gold < 0).sum())

    def compute(self) -> dict[str, float]:
        """Return accuracy and macro_f1, 0 to 1, and the number of unseen gold labels."""
        total = self.gold + self.predicted
        f1 = 2 * self.hits[total > 0] / total[total > 0]
        return {
            "accuracy": float(self.hits.sum() / max(self.gold.sum(), 1)),
            "macro_f1": float(f1.mean()) if len(f1) else 0.0,
            "unseen_labels": float(self.unseen),
        }


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
