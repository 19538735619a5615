"""Tagging: a label for each word, of a set that is closed in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.tasks.checks.findings import Finding
from mtl_bench.tasks.entropy import entropy
from mtl_bench.tasks.examples import Example, SplitName, Splits
from mtl_bench.tasks.types.base import Metric, TaskType
from mtl_bench.tasks.types.labels import Labels, label_counts, train_labels, unseen_labels
from mtl_bench.tasks.types.spans import SCHEMES, named_scheme, recognise
from mtl_bench.tasks.types.tagging_check import check_labels, check_spans
from mtl_bench.tasks.types.tagging_scores import TaggingScorer

DECODINGS = ("greedy", "constrained", "crf")


@dataclass(frozen=True)
class Tagging(TaskType[Labels]):
    """A label for each word.

    Attributes:
        outside: the label that F1 leaves out (such as `O`), or None if every label counts.
        spans: the scheme by which labels mark spans (see `spans.py`), or None.
        decoding: how labels follow from the model: `greedy`, each word's by itself;
            `constrained`, the most probable that `spans` allows; `crf`, a conditional random field,
            constrained as well where there is `spans`.
    """

    name = "tagging"
    level = "word"
    outside: str | None = None
    spans: str | None = None
    decoding: str = "greedy"

    def __post_init__(self) -> None:
        """Check the decoding."""
        if self.decoding not in DECODINGS:
            raise ValueError(f"decoding is {self.decoding!r}; it is one of {', '.join(DECODINGS)}.")
        if self.decoding == "constrained" and not self.spans:
            raise ValueError(
                "decoding is 'constrained', but the task names no scheme of `spans` whose rules "
                "labels could follow. Set `spans`, or `decoding: crf`, which learns them."
            )

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The paper's micro-F1 first; span metrics where there is a scheme of spans."""
        names = {"f1": "F1", "precision": "precision", "recall": "recall", "accuracy": "accuracy"}
        if self.spans:
            names |= {f"span_{name}": f"span {names[name]}" for name in list(names)[:3]}
        return {name: Metric(title) for name, title in names.items()}

    def validate(self, example: Example) -> None:
        """Check that there are as many labels as words."""
        words, labels = example
        # A text is a sequence of texts: 'ok' would pass for two labels.
        if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"its target is {labels!r}; it is a label for each word, as text")
        if len(words) != len(labels):
            raise ValueError(f"it has {len(words)} words and {len(labels)} labels")

    def fit(self, splits: Splits) -> Labels:
        """Return the labels: of train, and those that only other splits have."""
        return Labels(train_labels(splits), unseen_labels(splits))

    def restore(self, state: Mapping[str, Any]) -> Labels:
        """Return the labels that a trained head knows."""
        return Labels(state["names"], state["unseen"])

    def with_examples(self, targets: Labels, examples: Sequence[Example]) -> Labels:
        """Return the labels, and behind them those that only the examples have."""
        names = targets.names[: targets.start]
        others = {label for example in examples for label in example.target}
        if examples and others.isdisjoint(names):
            raise UserError(
                "no label of the data is one of the tagger's.\n"
                f"  data: {', '.join(sorted(others)[:20])}\n  tagger: {', '.join(names[:20])}\n"
                "Is it the right task, and the right column of labels?"
            )
        return Labels(names, [*targets.unseen, *sorted(others - {*names, *targets.unseen})])

    def scorer(self, targets: Labels) -> TaggingScorer:
        """Return a scorer of labels, and of spans if there is a scheme."""
        return TaggingScorer(targets, self.outside, self.spans)

    def refuse(self, splits: Splits, split: SplitName) -> None:
        """Check that labels fit one another, and their description in the task's yaml."""
        labels = train_labels(splits)
        examples = ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")
        if self.outside is not None and self.outside not in labels:
            raise UserError(
                f"outside is '{self.outside}', which is none of the {len(labels)} labels of its "
                f"training split: {examples}.\nFix `outside` in the task's yaml; `outside: null` "
                "counts every label."
            )
        if self.spans is not None:
            self._refuse_spans(splits, examples)
        eval_labels = {label for example in splits[split] for label in example.target}
        if not eval_labels & set(labels):
            raise UserError(
                f"its train and {split} splits have no label in common.\n"
                f"  train: {examples}\n  {split}: {', '.join(sorted(eval_labels)[:20])}\n"
                "Check the label column, and whether the files belong together."
            )

    def _refuse_spans(self, splits: Splits, sample: str) -> None:
        """Raise an error if the labels do not follow the scheme that the task's yaml names."""
        if self.spans not in SCHEMES:
            raise UserError(f"spans is '{self.spans}'; it is one of {', '.join(SCHEMES)}, or null.")
        counts = label_counts(splits)
        every = (*train_labels(splits), *unseen_labels(splits))
        scheme = named_scheme(self.spans, every, self.outside)
        better = recognise([example.target for example in splits["train"]])
        is_better = better and (
            better.stray(counts).total() < scheme.stray(counts).total()
            # Whole labels as types explain any labels, and `B-x I-x` would be two spans.
            or (scheme.plain and not better.plain)
        )
        if is_better or not scheme.fits(counts):
            advice = f"`spans: {better.name}`" if better else "`spans: null`"
            stray = ", ".join(list(scheme.stray(counts))[:10])
            raise UserError(
                f"spans is '{self.spans}', but its labels do not follow that scheme"
                f"{f': {stray}' if stray else ''}.\nLabels: {sample}.\nSet {advice} in the task's "
                "yaml."
            )

    def check(self, splits: Splits) -> Iterator[Finding]:
        """Yield what is to be said of labels, then of spans."""
        yield from check_labels(splits, self.outside)
        yield from check_spans(splits, self.outside, self.spans)

    def remarks(self, splits: Splits, split: SplitName) -> Iterator[str]:
        """Yield how many words no model can get right."""
        unseen = set(unseen_labels(splits))
        misses = sum(label in unseen for example in splits[split] for label in example.target)
        if misses:
            yield f"words whose label train lacks, misses by rule: {misses:,}"

    def statistics(
        self, train: Sequence[Example], max_length: int | None
    ) -> dict[str, float | None]:
        """Return the number of labels, and their entropy H(y) in nats.

        The entropy looks at the window that the paper's analysis looked at: the first
        `max_length` + 1 words of a sentence.
        """
        window = slice(None if max_length is None else max_length + 1)
        counts = Counter(chain.from_iterable(example.target[window] for example in train))
        labels = {label for example in train for label in example.target}
        return {"labels": len(labels), "label_entropy": entropy(list(counts.values()))}

    def classes(self, target: Any) -> Collection[Hashable]:
        """Return the different labels."""
        return set(target)

    def texts(self, target: Any) -> Sequence[str]:
        """Return the labels."""
        labels: Sequence[str] = target
        return labels


def guess_spans(splits: Splits) -> str | None:
    """Return the name of the scheme by which the labels mark spans, or None."""
    scheme = recognise([example.target for example in splits["train"]])
    return scheme.name if scheme else None


OUTSIDE_NAMES = {"o", "_", "none", "null", "0", "outside"}


def guess_outside(splits: Splits) -> str | None:
    """Return the label of words that are nothing in particular, or None."""
    counts = label_counts(splits)
    scheme = recognise([example.target for example in splits["train"]])
    if scheme:  # here it need not be the most frequent
        return next((label for label in counts if scheme.is_outside(label)), None)
    # Beside names of types, such as PER. Beside single letters it is one of them: a pronoun.
    if "O" in counts and all(len(label) > 1 for label in counts.keys() - {"O"}):
        return "O"
    return next(
        (label for label, _ in counts.most_common(1) if label.lower() in OUTSIDE_NAMES), None
    )
