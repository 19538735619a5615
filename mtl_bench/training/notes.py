"""What a run leaves out, cuts or does not know, each with its number: lines for its output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtl_bench.models.inputs.base import Input
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example, SplitName
from mtl_bench.text.embeddings import Embeddings


@dataclass(frozen=True)
class Evaluation:
    """What a run evaluates on.

    Attributes:
        splits: those evaluated, during training and at the end.
        cut: whether sentences are cut as in training.
        batch: sentences of a batch, if those behind the last whole one are left out.
    """

    splits: Sequence[SplitName]
    cut: bool
    batch: int | None


def remarks(
    corpora: Mapping[str, Corpus],
    max_length: Mapping[str, int | None],
    evaluation: Evaluation,
    input_: Input[Any],
    embeddings: Embeddings,
) -> Iterator[str]:
    """Yield a line for each thing that is left out, cut, or has no vector.

    Args:
        corpora: by task.
        max_length: words kept of a training sentence, by task.
        evaluation: what is evaluated.
        input_: of the run.
        embeddings: where its vectors come from.
    """
    for task, corpus in sorted(corpora.items()):
        yield from (f"{task}: {remark}" for remark in corpus.remarks)
        yield from _cut(f"{task}, train", corpus["train"], max_length[task])
        # Once each: curve and final metrics may come from the same split.
        for split in dict.fromkeys(evaluation.splits):
            if evaluation.cut:
                yield from _cut(f"{task}, {split}", corpus[split], max_length[task])
            if evaluation.batch and (rest := len(corpus[split]) % evaluation.batch):
                yield f"{task}, {split}: sentences behind the last whole batch left out: {rest:,}"
            # What only the type can count, such as labels that train lacks.
            for remark in corpus.type.remarks(corpus.splits, split):
                yield f"{task}, {split}: {remark}"
    yield from input_.remarks(corpora, embeddings)


def _cut(place: str, examples: Sequence[Example], length: int | None) -> Iterator[str]:
    """Yield a line if sentences are longer than what is kept of them."""
    extras = [len(example.words) - length for example in examples if length is not None]
    longer = [extra for extra in extras if extra > 0]
    if longer:
        yield (
            f"{place}: words beyond max_length={length} left out: {sum(longer):,}, of "
            f"{len(longer):,} sentences"
        )
