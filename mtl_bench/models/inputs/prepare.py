"""From corpora to what a run computes with: the input, and the splits as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.batches import EncodedSplit
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import SplitName
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.trust import named


@dataclass(frozen=True)
class ReadingOptions:
    """How a run reads its corpora.

    Attributes:
        max_length: words kept of a training sentence, by task; None keeps all.
        eval_split: evaluated during training.
        final_split: evaluated at the end.
        truncate_eval: cut evaluated sentences as training ones.
        lowercase: read words in lower case.
        seed: of random vectors.
    """

    max_length: Mapping[str, int | None]
    eval_split: SplitName = "dev"
    final_split: SplitName = "test"
    truncate_eval: bool = False
    lowercase: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Prepared:
    """What a run computes with; all but the input by task.

    Attributes:
        input: from words to batches and vectors.
        tasks: types, with what they learned from the corpora.
        train: encoded training sentences.
        curve: encoded sentences of the split evaluated during training.
        final: encoded sentences of the split evaluated at the end.
        statistics: Table 1's numbers.
    """

    input: Input[Any]
    tasks: dict[str, Fitted]
    train: dict[str, EncodedSplit]
    curve: dict[str, EncodedSplit]
    final: dict[str, EncodedSplit]
    statistics: dict[str, dict[str, float | None]]


def prepare(
    corpora: Mapping[str, Corpus], embeddings: Embeddings, options: ReadingOptions
) -> Prepared:
    """Build the input of a run, and encode its corpora.

    Args:
        corpora: by task, with a dev split where one is evaluated.
        embeddings: where the input's vectors come from.
        options: how the corpora are read.

    Raises:
        UserError: targets do not fit one another, or their description in the task's yaml.
    """
    # Before anything is read or built that takes long.
    for _, corpus in sorted(corpora.items()):
        for split in (options.eval_split, options.final_split):
            corpus.refuse_unusable(split)
    make: type[Input[Any]] = named(embeddings.input)
    input_ = make.build(embeddings, corpora, options.lowercase, options.seed)
    prepared = Prepared(input_, {}, {}, {}, {}, {})
    for task, corpus in sorted(corpora.items()):
        fitted = prepared.tasks[task] = Fitted(corpus.type, corpus.type.fit(corpus.splits))
        length = options.max_length[task]
        eval_length = length if options.truncate_eval else None
        for encoded, split, cut in (
            (prepared.train, "train", length),
            (prepared.curve, options.eval_split, eval_length),
            (prepared.final, options.final_split, eval_length),
        ):
            encoded[task] = encode(input_, fitted, corpus, split, cut)
        prepared.statistics[task] = input_.statistics(corpus, embeddings, length)
    return prepared


def encode(
    input_: Input[Any], fitted: Fitted, corpus: Corpus, split: SplitName, max_length: int | None
) -> EncodedSplit:
    """Return a split as numbers, sentences and targets cut behind `max_length` words."""
    sentences = [example.words for example in corpus[split]]
    targets = [example.target for example in corpus[split]]
    if fitted.type.level == "word":
        targets = [target[:max_length] for target in targets]
    encoded = input_.encode(sentences, max_length)
    return encoded.with_targets(fitted.targets.encode(targets), fitted.type.level)
