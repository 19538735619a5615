"""Small random inputs that the tests of the training step share."""

import numpy as np
import torch

from mtl_bench.models.inputs.batches import EncodedSplit, collate
from mtl_bench.models.inputs.words import WordInput
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.labels import Labels
from mtl_bench.tasks.types.tagging import Tagging
from mtl_bench.text.vocabulary import SPECIAL_WORDS, Vocabulary

HEAD = "mtl_bench.models.heads.tagging.TaggingHead"


def split(lengths, words=50, labels=5, seed=0):
    """Sentences of given lengths with random words and labels."""
    draw = np.random.default_rng(seed)
    sizes = np.array(lengths, dtype=np.int64)
    total = int(sizes.sum())
    return EncodedSplit(
        words=draw.integers(words, size=total),
        starts=np.cumsum(sizes) - sizes,
        lengths=sizes,
        targets=draw.integers(labels, size=total),
        level="word",
    )


def batch(lengths, task="t", **options):
    """All sentences of `split` as one batch."""
    return collate(task, split(lengths, **options), np.arange(len(lengths)))


def word_input(words=50, size=4):
    """An input of so many words, the special ones included, with random vectors."""
    vocabulary = Vocabulary(f"w{n}" for n in range(words - len(SPECIAL_WORDS)))
    return WordInput(vocabulary, torch.randn(words, size), lowercase=True)


def tagging(names=("x", "y", "o"), outside="o", spans=None):
    """A tagging task of some labels."""
    return Fitted(Tagging(outside, spans, head=HEAD), Labels(names))
