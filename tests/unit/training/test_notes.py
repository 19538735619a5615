"""Nothing is left out, cut or unknown without a line that counts it."""

import torch

from mtl_bench.models.inputs.words import WordInput
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example, Remark
from mtl_bench.tasks.types.tagging import Tagging
from mtl_bench.text.embeddings import RandomVectors
from mtl_bench.text.vocabulary import Vocabulary
from mtl_bench.training.notes import Evaluation, remarks


def sentence(words, label="x"):
    return Example(tuple(words), (label,) * len(words))


def test_every_loss_has_its_number():
    corpus = Corpus(
        "t",
        {
            "train": (sentence("aaaa"), sentence("ab")),
            "dev": (sentence("abc"),),
            "test": (sentence("zz", "y"), sentence("a"), sentence("b")),
        },
        Tagging(),
        remarks=(Remark("f: comment lines left out", 3, "line 2", True),),
    )
    evaluation = Evaluation(("dev", "test"), cut=True, batch=2)
    vectors = RandomVectors(dim=4, min_count=1, std=0.1)
    words = WordInput(Vocabulary("ab"), torch.zeros(5, 4), lowercase=True)
    assert list(remarks({"t": corpus}, {"t": 2}, evaluation, words, vectors)) == [
        "t: f: comment lines left out: 3, first in line 2",
        "t, train: words beyond max_length=2 left out: 2, of 1 sentences",
        "t, dev: words beyond max_length=2 left out: 1, of 1 sentences",
        "t, dev: sentences behind the last whole batch left out: 1",
        "t, test: sentences behind the last whole batch left out: 1",
        "t, test: words whose label train lacks, misses by rule: 2",
        "vectors: 2 of 4 different words have one (23.1% of all occurrences have none)",
    ]
