"""The generated language of the synthetic tasks: its words and their latent factors."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator

SEED = 2017
CATEGORIES, FUNCTION_CATEGORIES = 12, 4  # the first four have few words, which are frequent
WORDS_PER_CATEGORY = {"function": 6, "content": 260}
SUBCLASSES, SENSES = 10, 36
CONTENT_SHARE = 0.7  # of the words in a sentence
SYLLABLES = [onset + vowel for onset in "bdfghklmnprstvz" for vowel in "aeiou"]

Word = int


@dataclass(frozen=True)
class Language:
    """Words and their factors: lists over the vocabulary."""

    names: list[str]
    category: list[int]
    subclass: list[int]
    sense: list[int]
    bound: list[bool]
    salient: list[bool]
    linked: list[bool]
    limits: list[float]  # cumulated probabilities of the words

    def content(self, word: Word) -> bool:
        """Return whether a word belongs to one of the large categories."""
        return self.category[word] >= FUNCTION_CATEGORIES

    def sentence(self, draw: Generator) -> list[Word]:
        """Return the words of one sentence: 3 to 12, drawn independently."""
        numbers = draw.random(int(draw.integers(3, 13))).tolist()
        return [bisect_right(self.limits, number) for number in numbers]


@cache
def language() -> Language:
    """Return the language; always the same."""
    draw = np.random.default_rng(SEED)
    sizes = [WORDS_PER_CATEGORY["function"]] * FUNCTION_CATEGORIES
    sizes += [WORDS_PER_CATEGORY["content"]] * (CATEGORIES - FUNCTION_CATEGORIES)
    count = sum(sizes)
    category = np.repeat(np.arange(CATEGORIES), sizes)
    content = category >= FUNCTION_CATEGORIES
    numbers = draw.choice(len(SYLLABLES) ** 3, count, replace=False)
    names = [
        "".join(SYLLABLES[number // len(SYLLABLES) ** place % len(SYLLABLES)] for place in range(3))
        for number in numbers
    ]
    sense = np.where(content, draw.integers(SENSES, size=count), -1)
    # Zipf's law among content words; words come independently, so that the labels of one do not
    # follow from its neighbours, and an unseen word can only be known from another task.
    weights = np.where(content, 1 / (draw.permutation(count) + 1), 0)
    weights *= CONTENT_SHARE / weights.sum()
    weights[~content] = (1 - CONTENT_SHARE) / (~content).sum()
    return Language(
        names=names,
        category=category.tolist(),
        subclass=np.where(content, draw.integers(SUBCLASSES, size=count), 0).tolist(),
        sense=sense.tolist(),
        bound=(content & (draw.random(count) < 0.15)).tolist(),
        salient=(content & (draw.random(count) < 0.2)).tolist(),
        linked=(content & (draw.random(count) < 0.15)).tolist(),
        limits=np.append(np.cumsum(weights)[:-1], 1.0).tolist(),
    )
