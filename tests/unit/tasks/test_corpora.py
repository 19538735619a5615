"""The real corpora, against numbers that the paper printed (Table 1) or that identify a text."""

import gzip

import pytest
from hydra.utils import instantiate

from mtl_bench.compose import plain_task, task_files
from mtl_bench.tasks.statistics import statistics
from mtl_bench.tasks.task import load_corpus
from mtl_bench.text.vocabulary import normalise

# Size, labels, tokens/types, %OOV, H(y), ||X||F of Table 1, and the sentences of test. What is off
# by more than a unit of the last printed digit stands with what is read here, and the reason.
TABLE_1 = {
    "chu": (8936, 22, 12.01, 1.35, 1.84, 466.4, 2012),
    "mwe": (3312, 3, 9.07, 0.73, 0.53, 217.3, 500),
    "str": (3312, 118, 9.07, 0.73, 2.42, 217.3, 500),  # 2.43 printed, 2.421 here
    "pos": (1002, 12, 3.25, 14.15, 2.28, 116.9, 500),  # 3.24 and 2.27 printed: 13 words differ
}


@pytest.mark.parametrize("name", TABLE_1)
def test_table_1(name, mirror):
    task = plain_task(task_files()[name])
    corpus = normalise(load_corpus(name, task, instantiate(task.reader)), lowercase=True)
    with gzip.open(mirror / "embeddings/glove6b_vocab.txt.gz", "rt", encoding="utf-8") as stream:
        glove = set(stream.read().split("\n"))
    found = statistics(corpus, glove.__contains__, max_length=28)
    size, labels, tokens_per_type, oov, entropy, norm, test = TABLE_1[name]
    assert (found["size"], found["labels"], len(corpus["test"])) == (size, labels, test)
    assert found["tokens_per_type"] == pytest.approx(tokens_per_type, abs=0.0101)
    assert found["oov_percent"] == pytest.approx(oov, abs=0.0101)
    assert found["label_entropy"] == pytest.approx(entropy, abs=0.0051)
    assert found["frobenius_norm"] == pytest.approx(norm, abs=0.051)
