"""What a task type has to say; `tagging.py` is the one to look at beside it.

A type is two files and a yaml: a `TaskType` (here, without torch, since planning and checking need
it), a `Head` in `mtl_bench/models/heads`, and `conf/type/<name>.yaml`, which names both. A task of
your own may name them in its yaml instead, under `type:`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Protocol, TypeVar

from numpy.typing import NDArray

from mtl_bench.tasks.checks.findings import Finding
from mtl_bench.tasks.examples import Example, SplitName, Splits

Level = Literal["word", "sentence"]
"""Whether there is a target for each word, or one for a sentence."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A metric of a type.

    Attributes:
        title: what people call it.
        higher_is_better: if not, a gain is a decrease.
        is_share: whether it is from 0 to 1, and shown in percent.
    """

    title: str
    higher_is_better: bool = True
    is_share: bool = True


class Targets(Protocol):
    """What a type learned from the corpus of a task, such as its labels."""

    def encode(self, targets: Sequence[Any]) -> Array:
        """Return the targets of some sentences as numbers.

        Level `word`: one after another, each sentence's between those of its start and its end
        symbol. Level `sentence`: [sentences].
        """

    def state(self) -> dict[str, Any]:
        """Return what `TaskType.restore` needs to use the trained head, as plain values."""


class Scorer(Protocol):
    """Adds up the hits of an evaluation."""

    def update(self, predictions: Array, gold: Array, lengths: Array) -> None:
        """Count some sentences.

        Args:
            predictions: encoded; [words], sentence after sentence, or [sentences].
            gold: as predictions.
            lengths: [sentences] in words.
        """

    def compute(self) -> dict[str, float]:
        """Return a value for each metric of the type; numbers of other things may stand beside."""


T = TypeVar("T", bound=Targets)


@dataclass(frozen=True)
class TaskType(ABC, Generic[T]):
    """A kind of task. Subclasses are frozen dataclasses whose fields are the yaml's options.

    Attributes:
        name: what people call it.
        level: whether there is a target for each word, or one for a sentence.
        head: dotted path of its `Head` class, as text: reading a task imports no torch.
    """

    name: ClassVar[str]
    level: ClassVar[Level]
    head: str = field(default="", kw_only=True)

    @property
    @abstractmethod
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics by name; gains are of the first one."""

    def example(self, example: Example) -> Example:
        """Return an example as this type predicts it, given what a reader yielded."""
        return example

    @abstractmethod
    def validate(self, example: Example) -> None:
        """Check what a reader yielded.

        Raises:
            ValueError: the target is none of this type, with what it is and what it should be.
        """

    @abstractmethod
    def fit(self, splits: Splits) -> T:
        """Return what has to be known of the targets of a corpus."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> T:
        """Return the targets whose `state` was saved."""

    def with_examples(self, targets: T, examples: Sequence[Example]) -> T:  # noqa: ARG002
        """Return targets that can encode examples from outside the corpus, too, to be scored.

        What training lacks, such as a label, has to count as a miss. By default nothing is needed.

        Raises:
            UserError: the examples have nothing in common with the targets.
        """
        return targets

    @abstractmethod
    def scorer(self, targets: T) -> Scorer:
        """Return a scorer that has counted nothing yet."""

    def refuse(self, splits: Splits, split: SplitName) -> None:
        """Check that a split can be evaluated with what training has.

        Raises:
            UserError: it cannot; the task's name is put before the text.
        """

    def check(self, splits: Splits) -> Iterator[Finding]:  # noqa: ARG002
        """Yield what a person should know of the targets, for `mtl-bench check`."""
        yield from ()

    def remarks(self, splits: Splits, split: SplitName) -> Iterator[str]:  # noqa: ARG002
        """Yield what a run should say of an evaluated split, a line each, each with a number."""
        yield from ()

    def statistics(
        self,
        train: Sequence[Example],  # noqa: ARG002
        max_length: int | None,  # noqa: ARG002
    ) -> dict[str, float | None]:
        """Return this type's part of Table 1: `labels` and `label_entropy`, or None for each.

        Args:
            train: the training sentences.
            max_length: words kept of a sentence; None keeps all.
        """
        return {"labels": None, "label_entropy": None}

    def classes(self, target: Any) -> Collection[Hashable]:  # noqa: ARG002
        """Return the parts of a target that training must have seen, such as labels.

        Where a share of train becomes dev, train keeps a sentence with each.
        """
        return ()

    def texts(self, target: Any) -> Sequence[str]:
        """Return a target as texts, for the fingerprint of a corpus."""
        return (json.dumps(target, sort_keys=True),)

    def options(self) -> dict[str, Any]:
        """Return the options that a task's yaml gave, as plain values."""
        return {name: value for name, value in asdict(self).items() if name != "head"}

    def describe(self) -> dict[str, Any]:
        """Return what the constructor makes an equal type of, as plain values."""
        return asdict(self)


class Fitted(NamedTuple):
    """The type of a task, with what it learned from the task's corpus."""

    type: TaskType[Any]
    targets: Any
