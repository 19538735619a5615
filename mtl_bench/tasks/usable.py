"""Whether a corpus can be trained and evaluated: what its labels are, and what is refused."""

from __future__ import annotations

from collections import Counter

from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import Corpus, SplitName
from mtl_bench.tasks.spans import SCHEMES, named_scheme, recognise

OUTSIDE_NAMES = {"o", "_", "none", "null", "0", "outside"}


def guess_spans(corpus: Corpus) -> str | None:
    """Return the name of the scheme by which the labels mark spans, or None."""
    scheme = recognise([sentence.labels for sentence in corpus["train"]])
    return scheme.name if scheme else None


def guess_outside(corpus: Corpus) -> str | None:
    """Return the label of words that are nothing in particular, or None."""
    counts = label_counts(corpus)
    scheme = recognise([sentence.labels for sentence in corpus["train"]])
    if scheme:  # here it need not be the most frequent
        return next((label for label in counts if scheme.is_outside(label)), None)
    return next(
        (label for label, _ in counts.most_common(1) if label.lower() in OUTSIDE_NAMES), None
    )


def label_counts(corpus: Corpus) -> Counter[str]:
    """Return how often training has each label."""
    return Counter(label for sentence in corpus["train"] for label in sentence.labels)


def refuse_unusable(corpus: Corpus, split: SplitName) -> None:
    """Raise an error if a split cannot be evaluated with the labels of train.

    Raises:
        UserError: labels do not fit one another, or their description in the task's yaml.
    """
    task, labels = corpus.task, corpus.labels()
    shown = ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")
    if not corpus[split]:
        raise UserError(
            f"task '{task}' has no {split} split to evaluate on.\nGive it one, or set a share of "
            "train aside with `data.dev_fraction=0.1`."
        )
    if corpus.outside is not None and corpus.outside not in labels:
        raise UserError(
            f"task '{task}': outside is '{corpus.outside}', which is none of the {len(labels)} "
            f"labels of its training split: {shown}.\nFix `outside` in the task's yaml; `outside: "
            "null` counts every label."
        )
    if corpus.spans is not None:
        _refuse_spans(corpus, shown)
    found = {label for sentence in corpus[split] for label in sentence.labels}
    if not found & set(labels):
        raise UserError(
            f"task '{task}': its train and {split} splits have no label in common.\n"
            f"  train: {shown}\n  {split}: {', '.join(sorted(found)[:20])}\n"
            "Check the label column, and whether the files belong together."
        )


def _refuse_spans(corpus: Corpus, shown: str) -> None:
    """Raise an error if the labels do not follow the scheme that the task's yaml names."""
    if corpus.spans not in SCHEMES:
        raise UserError(
            f"task '{corpus.task}': spans is '{corpus.spans}'; it is one of {', '.join(SCHEMES)}, "
            "or null."
        )
    counts = label_counts(corpus)
    every = (*corpus.labels(), *corpus.unseen_labels())
    scheme = named_scheme(corpus.spans, every, corpus.outside)
    better = recognise([sentence.labels for sentence in corpus["train"]])
    is_better = better and better.stray(counts).total() < scheme.stray(counts).total()
    if is_better or not scheme.fits(counts):
        advice = f"`spans: {better.name}`" if better else "`spans: null`"
        stray = ", ".join(list(scheme.stray(counts))[:10])
        raise UserError(
            f"task '{corpus.task}': spans is '{corpus.spans}', but its labels do not follow that "
            f"scheme{f': {stray}' if stray else ''}.\nLabels: {shown}.\nSet {advice} in the task's "
            "yaml."
        )
