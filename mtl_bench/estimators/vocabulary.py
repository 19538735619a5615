"""Words in common: the share of the main task's words that the auxiliary's corpus has."""

from __future__ import annotations

from collections import Counter

from mtl_bench.analysis.evaluation.estimators import Scores
from mtl_bench.estimators.pilots.pilots import Pilots


def vocabulary(pilots: Pilots) -> Scores:
    """Return the share of training words of the main task, repeats included, in lower case."""
    words = {
        t: Counter(w.lower() for w in c.words("train")) for t, c in pilots.setup.corpora.items()
    }
    return {
        (main, aux): sum(n for word, n in words[main].items() if word in words[aux])
        / words[main].total()
        for main, aux in pilots.pairs()
    }
