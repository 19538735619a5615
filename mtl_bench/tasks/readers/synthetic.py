"""A generated language, and ten tasks over it whose relations are known.

Every word has latent factors: a category, a subclass, a sense, two properties `bound` and
`salient`, and one property `linked` that matters to a single task. A task labels words by a few
of the factors, with noise, in a small corpus of its own. Words that are rare there leave their
factors undetermined; an auxiliary task that has seen those words, and whose labels depend on the
same factors, reveals them. That makes help directed: what a large corpus can tell a small one,
not the reverse.

`reference_gains` computes from the language, without training anything, how much each task can help
each.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.entropy import entropy
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.readers.synthetic_language import SEED, Language, Word, language

Labeller = Callable[[Language, list[Word]], list[str]]


def _ccg(lang: Language, words: list[Word]) -> list[str]:
    follows = [*(lang.content(word) for word in words[1:]), False]
    return [
        f"c{lang.category[w]}.{lang.subclass[w]}{'/' if after else ''}"
        for w, after in zip(words, follows, strict=True)
    ]


def _chu(lang: Language, words: list[Word]) -> list[str]:
    labels: list[str] = []
    before = -1
    for word in words:
        phrase = -1 if lang.category[word] < 2 else lang.category[word]
        place = "i" if phrase == before else "b"
        labels.append("o" if phrase < 0 else f"{place}-p{phrase}")
        before = phrase
    return labels


def _com(lang: Language, words: list[Word]) -> list[str]:
    heads = (4, 5, 6)
    return ["k" if lang.category[w] in heads or lang.salient[w] else "o" for w in words]


def _fnt(lang: Language, words: list[Word]) -> list[str]:
    return ["t" if 0 <= lang.sense[w] < 9 else "o" for w in words]


def _pos(lang: Language, words: list[Word]) -> list[str]:
    return [f"c{lang.category[w]}" for w in words]


def _hyp(lang: Language, words: list[Word]) -> list[str]:
    return ["l" if lang.linked[w] else "o" for w in words]


def _key(lang: Language, words: list[Word]) -> list[str]:
    return ["k" if lang.salient[w] else "o" for w in words]


def _mwe(lang: Language, words: list[Word]) -> list[str]:
    labels = []
    inside = False
    for word in words:
        goes_on = inside and lang.content(word) and not lang.bound[word]
        labels.append("b" if lang.bound[word] else "i" if goes_on else "o")
        inside = lang.bound[word]
    return labels


def _sem(lang: Language, words: list[Word]) -> list[str]:
    return [f"s{lang.sense[w]}" if lang.content(w) else "o" for w in words]


def _str(lang: Language, words: list[Word]) -> list[str]:
    return [
        place if sense == "o" else f"{place}-{sense}"
        for place, sense in zip(_mwe(lang, words), _sem(lang, words), strict=True)
    ]


TASKS: Mapping[str, Labeller] = {
    "ccg": _ccg,
    "chu": _chu,
    "com": _com,
    "fnt": _fnt,
    "pos": _pos,
    "hyp": _hyp,
    "key": _key,
    "mwe": _mwe,
    "sem": _sem,
    "str": _str,
}
NOISE = 0.03
"""Share of labels that are replaced at random."""


class SyntheticReader:
    """Yields the endless corpus of a task; the task's yaml says how much of it is taken."""

    def __init__(self, task: str, labelled_words: bool = False) -> None:
        """Name the task.

        Args:
            task: one of TASKS.
            labelled_words: whether the target is the words whose label is not `o`, in place of
                labels; sentences without any are left out.
        """
        if task not in TASKS:
            raise UserError(f"reader.task: '{task}' is none of {', '.join(TASKS)}.")
        self.task = task
        self.labelled_words = labelled_words

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example]:  # noqa: ARG002
        """Yield sentences without end; no file is read."""
        names = language().names
        for words, labels in _labelled(self.task):
            texts = tuple(names[word] for word in words)
            if not self.labelled_words:
                yield Example(texts, tuple(labels))
                continue
            kept = [text for text, label in zip(texts, labels, strict=True) if label != "o"]
            if kept:
                yield Example(texts, kept)


def _labelled(task: str) -> Iterator[tuple[list[Word], list[str]]]:
    """Yield words and noisy labels."""
    lang, label = language(), TASKS[task]
    # A stream for each task: its sentences are the same whatever other tasks are read.
    draw = np.random.default_rng([SEED, *task.encode()])
    recent: deque[str] = deque(maxlen=500)  # what noise puts in a label's place
    while True:
        words = lang.sentence(draw)
        labels = label(lang, words)
        recent.extend(labels)
        noise = draw.random((len(words), 2)).tolist()
        yield (
            words,
            [
                recent[int(pick * len(recent))] if flip < NOISE else true
                for true, (flip, pick) in zip(labels, noise, strict=True)
            ],
        )


FACTORS = ("category", "subclass", "sense", "bound", "salient", "linked")
ENOUGH = 2
"""Occurrences in training after which a word's factors count as determined."""

INTERFERENCE = 0.01
"""What a nat about factors that do not concern the main task costs it; from measured gains."""


def reference_gains(corpora: Mapping[str, Corpus]) -> dict[str, dict[str, float]]:
    """Return how much each task helps each, by main task, then auxiliary; below 0 it hurts.

    help(main, aux) = gap(main, aux) x (1 - NOISE) x sum over factors f of
        share(main, f)  of the information in main's labels that is about f
      x reveal(aux, f)  of the entropy of f that aux's labels tell
    - INTERFERENCE x the information in aux's labels, in nats, about factors that concern main
      little (a share below a tenth)

    where gap is the mean over main's test words of: how much too rarely main's training has the
    word, times how often enough aux's has it.

    Args:
        corpora: by name (`syn_chu`), as read from `conf/task`.
    """
    information = {name: _information(name.removeprefix("syn_")) for name in corpora}
    counts = {name: Counter(corpus.words("train")) for name, corpus in corpora.items()}
    matrix: dict[str, dict[str, float]] = {}
    for main, corpus in sorted(corpora.items()):
        test = list(corpus.words("test"))
        total = sum(nats for nats, _ in information[main].values())
        share = {factor: information[main][factor][0] / total for factor in FACTORS}
        matrix[main] = {}
        for aux in sorted(corpora.keys() - {main}):
            gaps = (
                max(0, 1 - counts[main][word] / ENOUGH) * min(1, counts[aux][word] / ENOUGH)
                for word in test
            )
            revealed = sum(
                share[f] * information[aux][f][0] / information[aux][f][1] for f in FACTORS
            )
            help_ = sum(gaps) / len(test) * revealed * (1 - NOISE)
            unrelated = sum(information[aux][f][0] for f in FACTORS if share[f] < 0.1)
            matrix[main][aux] = help_ - INTERFERENCE * unrelated
    return matrix


@cache
def _information(task: str) -> dict[str, tuple[float, float]]:
    """Return, by factor, the mutual information of labels and factor, and the factor's entropy.

    Every content word counts once, however frequent, since it is rare words that a task has to be
    told about; what so few words share by chance is taken off (Miller, 1955).
    """
    lang = language()
    words = [word for word in range(len(lang.category)) if lang.content(word)]
    # Shuffled: some labels depend on the word before, and the vocabulary is sorted by category.
    np.random.default_rng(SEED).shuffle(words)
    labels = TASKS[task](lang, words)
    shares = {}
    for factor in FACTORS:
        values = [getattr(lang, factor)[word] for word in words]
        chance = (len(set(labels)) - 1) * (len(set(values)) - 1) / (2 * len(words))
        joint = _entropy(Counter(zip(labels, values, strict=True)))
        factor_entropy = _entropy(Counter(values))
        information = _entropy(Counter(labels)) + factor_entropy - joint - chance
        shares[factor] = (max(information, 0.0), factor_entropy)
    return shares


def _entropy(counts: Counter[Any]) -> float:
    return entropy(list(counts.values()))
