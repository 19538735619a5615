"""What a run leaves out, cuts or does not know, each with its number: lines for its output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mtl_bench.tasks.corpus import Corpus, Sentence, SplitName
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.text.vocabulary import Vocabulary


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
    vocabulary: Vocabulary,
    embeddings: Embeddings,
) -> Iterator[str]:
    """Yield a line for each thing that is left out, cut, or has no vector.

    Args:
        corpora: by task, as the models read them.
        max_length: words kept of a training sentence, by task.
        evaluation: what is evaluated.
        vocabulary: words with a vector of their own.
        embeddings: where the vectors come from.
    """
    for task, corpus in sorted(corpora.items()):
        yield from (f"{task}: {remark}" for remark in corpus.remarks)
        yield from _cut(f"{task}, train", corpus["train"], max_length[task])
        for split in dict.fromkeys(evaluation.splits):
            if evaluation.cut:
                yield from _cut(f"{task}, {split}", corpus[split], max_length[task])
            if evaluation.batch and (rest := len(corpus[split]) % evaluation.batch):
                yield f"{task}, {split}: sentences behind the last whole batch left out: {rest:,}"
            unseen = set(corpus.unseen_labels())
            misses = sum(label in unseen for s in corpus[split] for label in s.labels)
            if misses:
                yield f"{task}, {split}: words whose label train lacks, misses by rule: {misses:,}"
    counts = Counter(word for corpus in corpora.values() for word in corpus.words())
    own = set(vocabulary.words)
    found = sum(word in own for word in counts)
    without = sum(n for word, n in counts.items() if word not in own) / counts.total()
    yield (
        f"vectors: {found:,} of {len(counts):,} different words have one ({without:.1%} of all "
        "occurrences have none)"
    )
    yield from embeddings.remarks(counts)


def _cut(place: str, sentences: Sequence[Sentence], length: int | None) -> Iterator[str]:
    """Yield a line if sentences are longer than what is kept of them."""
    cut = [len(sentence.words) - length for sentence in sentences if length is not None]
    longer = [extra for extra in cut if extra > 0]
    if longer:
        yield (
            f"{place}: words beyond max_length={length} left out: {sum(longer):,}, of "
            f"{len(longer):,} sentences"
        )
