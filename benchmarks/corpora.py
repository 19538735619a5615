"""How long reading and indexing corpora takes, cold and from the cache, and how much memory.

Each number comes from a process of its own with one thread: corpora are read, numbered as a run
numbers them, and their statistics computed. Usage: `python -m benchmarks.corpora [TASK ...]`; by
default the ten tasks of the study, in the mirror or the cache.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

TASKS = ["ccg_redwoods", "chu", "com", "fnt", "pos", "hyp_wescience", "key", "mwe", "sem", "str"]
CHILD = "--in-this-process"


def read_and_index(names: list[str]) -> dict[str, float]:
    """Read and number the corpora of some tasks; return seconds and MB at most."""
    import resource
    import time

    from mtl_bench.commands.shared.definitions import corpus_of, definitions
    from mtl_bench.tasks.statistics import statistics
    from mtl_bench.text.vocabulary import Vocabulary, normalise

    start = time.perf_counter()
    read = {name: corpus_of(name, task) for name, task in definitions(names).items()}
    middle = time.perf_counter()
    corpora = {name: normalise(corpus, lowercase=True) for name, corpus in read.items()}
    vocabulary = Vocabulary(word for corpus in corpora.values() for word in set(corpus.words()))
    for corpus in corpora.values():
        targets = corpus.type.fit(corpus.splits)
        for split in corpus.splits.values():
            targets.encode([example.target for example in split])
            for example in split:
                vocabulary.ids(example.words)
        statistics(corpus, lambda _: True, 28)
    end = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"read s": middle - start, "index s": end - middle, "memory MB": memory}


def main(names: list[str]) -> None:
    """Measure with an empty cache, then with the cache that this left."""
    with tempfile.TemporaryDirectory() as cache:
        for label in ("cold", "from the cache"):
            child = [sys.executable, "-m", "benchmarks.corpora", CHILD, *names]
            end = subprocess.run(
                child,
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "MTL_BENCH_CACHE": cache, "OMP_NUM_THREADS": "1"},
            )
            measured = json.loads(end.stdout)
            print(f"{label:15}", *(f"{key} {value:7.1f}" for key, value in measured.items()))


if __name__ == "__main__":
    if CHILD in sys.argv:
        print(json.dumps(read_and_index(sys.argv[2:])))
    else:
        main(sys.argv[1:] or TASKS)
