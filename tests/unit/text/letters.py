"""Sentences, and states of their words that follow from letters: no model is needed."""

import os
import time
from pathlib import Path

import numpy as np

from mtl_bench.text.states import corpus_states

SENTENCES = [(*"wordwordword"[: n % 9 + 1], str(n)) for n in range(40)]
PART, PARTS = 20, 12  # words of a part, parts of the sentences


class Letters:
    """A source of states that follow from the letters of a word and the length of its sentence."""

    title, size = "letters", 3

    def __init__(self, identity=("letters",), pause=0.0):
        self.identity = identity
        self.pause = pause
        self.calls = 0

    def states(self, sentences):
        self.calls += 1
        time.sleep(self.pause)
        rows = [
            (len(word), sum(map(ord, word)) % 100, len(sentence))
            for sentence in sentences
            for word in sentence
        ]
        return np.array(rows, np.float16).reshape(-1, self.size)


def compute(source=None, sentences=SENTENCES, threads=1):
    """The table of a corpus."""
    return corpus_states("corpus", sentences, source or Letters(), threads)


def cache():
    """The folder of the only corpus in the cache."""
    (folder,) = (Path(os.environ["MTL_BENCH_CACHE"]) / "states").iterdir()
    return folder


def content():
    """What is kept of it."""
    return (cache() / "states.npy").read_bytes()
