"""Small random inputs that the tests of the training step share."""

import numpy as np

from mtl_bench.models.inputs.batches import collate
from mtl_bench.text.vocabulary import EncodedSplit


def split(lengths, words=50, labels=5, seed=0):
    """Sentences of given lengths with random words and labels."""
    draw = np.random.default_rng(seed)
    sizes = np.array(lengths, dtype=np.int64)
    total = int(sizes.sum())
    return EncodedSplit(
        draw.integers(words, size=total),
        draw.integers(labels, size=total),
        np.cumsum(sizes) - sizes,
        sizes,
    )


def batch(lengths, task="t", **options):
    """All sentences of `split` as one batch."""
    return collate(task, split(lengths, **options), np.arange(len(lengths)))
