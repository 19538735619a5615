"""A pretrained transformer that is run and not trained: from sentences to states of their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import torch

from mtl_bench.models import pretrained
from mtl_bench.text.contextual import ContextualStates
from mtl_bench.text.states import States
from mtl_bench.text.subwords import Subwords, windows

BATCH_SUBWORDS = 2048
"""Sub-words of one call of the model, padding included: large products that fit in the cache."""

LARGEST = float(np.finfo(np.float16).max)


class _Reading(NamedTuple):
    """A window of a sentence, as the model reads it.

    Attributes:
        ids: of the sub-words, the model's own included.
        places: in `ids`, of the words whose states are taken.
        row: of the first of these words in the result.
    """

    ids: list[int]
    places: list[int]
    row: int


class FrozenModel:
    """Gives words the states of their first sub-words, in float16.

    Attributes:
        size: numbers of a state.
    """

    def __init__(self, source: ContextualStates) -> None:
        """Take the model and its layers; it is loaded when states are asked for."""
        self.source = source
        self.title = source.model.name
        self.identity: tuple[str, ...] = (source.checksum(), source.layers)
        size = source.model.number("hidden_size", "d_model", "dim", "n_embd", "emb_dim")
        self.size = size or int(self._module.config.hidden_size)
        self._loading = Lock()
        self._counting = Lock()
        self._callers, self._threads = 0, 1

    @cached_property
    def subwords(self) -> Subwords:
        """How words are split."""
        return self.source.model.subwords()

    @cached_property
    def _module(self) -> Any:
        module: Any = pretrained.load(self.source.model).eval().requires_grad_(requires_grad=False)
        return module.cuda() if torch.cuda.is_available() else module

    def states(self, sentences: Sequence[Sequence[str]]) -> States:
        """Return [words of all sentences, size], sentence after sentence.

        The sentences are read in order of length; those longer than the model reads at once, in
        windows that overlap. It takes one thread, so that states do not depend on their number;
        several threads of Python may call it at once.
        """
        with self._one_thread():
            return self._states(sentences)

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        """Let torch take one thread; the last of several callers restores what was before."""
        with self._counting:
            if self._callers == 0:
                self._threads = torch.get_num_threads()
            self._callers += 1
            torch.set_num_threads(1)
        try:
            yield
        finally:
            with self._counting:
                self._callers -= 1
                if self._callers == 0:
                    torch.set_num_threads(self._threads)

    def _states(self, sentences: Sequence[Sequence[str]]) -> States:
        result = np.zeros((sum(map(len, sentences)), self.size), np.float16)
        readings = sorted(self._readings(sentences), key=lambda reading: len(reading.ids))
        with torch.inference_mode():
            for batch in _batches(readings):
                states = self._run(batch).cpu().numpy()
                begin = 0
                for reading in batch:
                    end = begin + len(reading.places)
                    result[reading.row : reading.row + end - begin] = states[begin:end]
                    begin = end
        return result

    def _readings(self, sentences: Sequence[Sequence[str]]) -> Iterator[_Reading]:
        words = list({word for sentence in sentences for word in sentence})
        pieces = dict(zip(words, self.subwords.split(words), strict=True))
        before, behind = self.subwords.around
        row = 0
        for sentence in sentences:
            counts = [len(pieces[word]) for word in sentence]
            for begin, end, first, last in windows(counts, self.subwords.room):
                ids, places = list(before), []
                for number in range(begin, end):
                    if first <= number < last:
                        places.append(len(ids))
                    ids += pieces[sentence[number]]
                yield _Reading([*ids, *behind], places, row + first)
            row += len(sentence)

    def _run(self, batch: Sequence[_Reading]) -> torch.Tensor:
        """Return the states of the words of some windows, [words, size] in float16."""
        with self._loading:  # once, whoever is first
            module = self._module
        longest = max(len(reading.ids) for reading in batch)
        ids = torch.full((len(batch), longest), self.subwords.padding)
        mask = torch.zeros_like(ids)
        for row, reading in enumerate(batch):
            ids[row, : len(reading.ids)] = torch.tensor(reading.ids)
            mask[row, : len(reading.ids)] = 1
        rows = [row for row, reading in enumerate(batch) for _ in reading.places]
        places = [place for reading in batch for place in reading.places]
        output = module(
            input_ids=ids.to(module.device),
            attention_mask=mask.to(module.device),
            output_hidden_states=True,
        )
        hidden = output.hidden_states
        chosen = self.source.chosen(len(hidden) - 1)
        layers = [hidden[layer][rows, places] for layer in chosen]
        mean = torch.stack(layers).mean(0)
        return mean.clamp(-LARGEST, LARGEST).half()


def _batches(readings: Sequence[_Reading]) -> Iterator[list[_Reading]]:
    """Yield consecutive windows, as many as a call of the model takes."""
    batch: list[_Reading] = []
    for reading in readings:
        if batch and (len(batch) + 1) * len(reading.ids) > BATCH_SUBWORDS:
            yield batch
            batch = []
        batch.append(reading)
    if batch:
        yield batch
