"""From corpora to what a model takes: vocabulary, vectors, encoded splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_bench.tasks.corpus import Corpus, SplitName
from mtl_bench.tasks.statistics import statistics
from mtl_bench.tasks.usable import refuse_unusable
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.text.vocabulary import EncodedSplit, Labels, Vocabulary, encode


@dataclass(frozen=True)
class Inputs:
    """What a run computes with, by task.

    Attributes:
        vocabulary: words with a vector of their own, of all tasks.
        vectors: [V, D] their start values.
        vector_facts: about them, for the record.
        labels: classes.
        train: encoded training sentences.
        curve: encoded sentences of the split evaluated during training.
        final: encoded sentences of the split evaluated at the end.
        statistics: Table 1's numbers.
    """

    vocabulary: Vocabulary
    vectors: Tensor
    vector_facts: dict[str, int | str]
    labels: dict[str, Labels]
    train: dict[str, EncodedSplit]
    curve: dict[str, EncodedSplit]
    final: dict[str, EncodedSplit]
    statistics: dict[str, dict[str, float | None]]


def prepare(
    corpora: Mapping[str, Corpus],
    max_length: Mapping[str, int | None],
    embeddings: Embeddings,
    eval_split: SplitName,
    final_split: SplitName,
    truncate_eval: bool,
    seed: int,
) -> Inputs:
    """Number the words and labels of a run's corpora.

    Args:
        corpora: by task, as the models read them, with a dev split where one is evaluated.
        max_length: words kept of a training sentence, by task.
        embeddings: the source of word vectors.
        eval_split: evaluated during training.
        final_split: evaluated at the end.
        truncate_eval: cut evaluated sentences as training ones.
        seed: of random vectors.

    Raises:
        UserError: labels do not fit one another, or their description in the task's yaml.
    """
    known = embeddings.known(corpora.values())
    vocabulary = Vocabulary(
        word for corpus in corpora.values() for word in set(corpus.words()) if known(word)
    )
    table, facts = embeddings.table(vocabulary, seed)
    inputs = Inputs(vocabulary, torch.from_numpy(table), facts, {}, {}, {}, {}, {})
    for task, corpus in sorted(corpora.items()):
        for split in (eval_split, final_split):
            refuse_unusable(corpus, split)
        labels = inputs.labels[task] = Labels(corpus.labels(), corpus.unseen_labels())
        length = max_length[task]
        evaluated = length if truncate_eval else None
        inputs.train[task] = encode(corpus["train"], vocabulary, labels, length)
        inputs.curve[task] = encode(corpus[eval_split], vocabulary, labels, evaluated)
        inputs.final[task] = encode(corpus[final_split], vocabulary, labels, evaluated)
        inputs.statistics[task] = statistics(corpus, embeddings.known([corpus]), length)
    return inputs
