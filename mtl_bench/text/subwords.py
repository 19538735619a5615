"""Words as the sub-words of a pretrained transformer, and sentences as windows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np


class Window(NamedTuple):
    """A part of a sentence that is read at once.

    Attributes:
        begin: first word that is read.
        end: word behind the last one that is read.
        first: first word whose state is taken from here.
        last: word behind the last one whose state is taken from here.
    """

    begin: int
    end: int
    first: int
    last: int


class Subwords:
    """Splits words as the tokenizer of a model does.

    Each word is split by itself, so that its first sub-word is known for every tokenizer.
    """

    def __init__(
        self,
        tokenizer: str,
        unknown: int | None,
        padding: int | None,
        size: int,
        mask: int | None = None,
    ) -> None:
        """Take a tokenizer.

        Args:
            tokenizer: as JSON of the `tokenizers` package.
            unknown: the id of the unknown sub-word, if there is one.
            padding: the id of padding, if there is one.
            size: sub-words that a window has, those of the model's own included.
            mask: the id of what stands for a hidden sub-word, if there is one.
        """
        self.tokenizer = tokenizer
        self.unknown = unknown
        self.padding = padding or 0
        self.size = size
        self.mask = mask

    def state(self) -> dict[str, Any]:
        """Return what the constructor takes, as plain values."""
        return {
            "tokenizer": self.tokenizer,
            "unknown": self.unknown,
            "padding": self.padding,
            "size": self.size,
            "mask": self.mask,
        }

    @cached_property
    def _backend(self) -> Any:
        from tokenizers import Tokenizer

        backend = Tokenizer.from_str(self.tokenizer)
        backend.no_truncation()  # as files may say
        backend.no_padding()
        return backend

    @cached_property
    def around(self) -> tuple[list[int], list[int]]:
        """The sub-words that the model wants before and behind those of a sentence."""
        probe = next(word for word in ("a", *self._backend.get_vocab()) if self._encode([word])[0])
        full = self._backend.encode([probe], is_pretokenized=True)
        places = np.flatnonzero(np.array(full.special_tokens_mask) == 0)
        return full.ids[: places[0]], full.ids[places[-1] + 1 :]

    @cached_property
    def _blank(self) -> str:
        """A blank if texts have one in the first sub-word of a word, and words alone do not.

        Most tokenizers mark the begin of words given one by one; those that count on the blank
        (GPT-2's, ModernBERT's) would glue a sentence's words together.
        """
        plain, first, second = self._encode(["a", "b", " a"])
        text = self._backend.encode("b a", add_special_tokens=False).ids
        return " " if second != plain and text == first + second else ""

    @property
    def room(self) -> int:
        """The sub-words of words that a window has place for."""
        before, behind = self.around
        return self.size - len(before) - len(behind)

    def split(self, words: Sequence[str]) -> list[list[int]]:
        """Return the sub-words of words: at least one each, and no more than fit in a window.

        A word that the tokenizer turns into nothing, such as a lone combining mark, becomes the
        unknown sub-word.
        """
        nothing = [self.padding if self.unknown is None else self.unknown]
        blank = self._blank
        spaced = [word if word[:1].isspace() else blank + word for word in words]
        return [ids[: self.room] or nothing for ids in self._encode(spaced)]

    def _encode(self, words: Sequence[str]) -> list[list[int]]:
        """Return the sub-words of each word; half a character (a surrogate) is read as `?`."""
        whole = [[word.encode("utf-8", "replace").decode("utf-8")] for word in words]
        encodings = self._backend.encode_batch(
            whole, is_pretokenized=True, add_special_tokens=False
        )
        return [encoding.ids for encoding in encodings]


def windows(counts: Sequence[int], room: int) -> Iterator[Window]:
    """Yield the windows of a sentence; each word's state is taken from one of them.

    A sentence that does not fit is read in windows that overlap, so that a word whose state is
    taken has up to a quarter of a window of others on either side.

    Args:
        counts: sub-words of each word, each from 1 to `room`.
        room: sub-words of a window.

    >>> list(windows([1, 1, 1, 1, 1, 1], room=4))
    [Window(begin=0, end=4, first=0, last=3), Window(begin=2, end=6, first=3, last=6)]
    """
    total, context = len(counts), room // 4
    first = 0
    while first < total:
        begin = _back(counts, first, min(context, room - counts[first]))
        end, size = begin, 0
        while end < total and size + counts[end] <= room:
            size += counts[end]
            end += 1
        last = end if end == total else max(_back(counts, end, context), first + 1)
        yield Window(begin, end, first, last)
        first = last


def _back(counts: Sequence[int], place: int, room: int) -> int:
    """Return the first of the words before `place` that have at most `room` sub-words together."""
    size = 0
    while place and size + counts[place - 1] <= room:
        place -= 1
        size += counts[place]
    return place
