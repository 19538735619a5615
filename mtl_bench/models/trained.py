"""A trained tagger in use: what it predicts of sentences, and how well it does on labelled data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from mtl_bench.errors import UserError
from mtl_bench.models import kernels
from mtl_bench.models.inputs.batches import EncodedSplit, evaluation_batches
from mtl_bench.models.inputs.prepare import encode
from mtl_bench.models.tagger import Tagged, Tagger
from mtl_bench.models.weights import load_taggers
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.types.base import Fitted

Sentences = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Conditions:
    """How a run evaluates, so that the same sentences give the same numbers later.

    Attributes:
        max_length: words looked at of a sentence, by task; None for all.
        whole: only whole batches of so many sentences are looked at (`data.drop_last`).
        threads: of torch. With several a biLSTM, which takes small steps, is far slower.
        compiled: whether compiled loops are used, where there is a compiler.
    """

    max_length: Mapping[str, int | None] = field(default_factory=dict)
    whole: int | None = None
    threads: int = 1
    compiled: bool = True

    @contextmanager
    def apply(self) -> Iterator[None]:
        """Compute with these threads and loops; afterwards the process has its threads again."""
        kernels.use("auto" if self.compiled else "false")
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


class TrainedTagger:
    """The tasks of a run, each with the weights that it kept.

    Attributes:
        main: the task that is tagged where none is named.
        tasks: types, with what they learned from the corpora, by task; the main task first.
        conditions: under which the run evaluated.
    """

    def __init__(
        self, taggers: Mapping[str, Tagger], main: str, conditions: Conditions | None = None
    ) -> None:
        """Take the tagger of each task, as `load_taggers` returns them."""
        self.main = main
        self.conditions = conditions or Conditions()
        names = (main, *sorted(taggers.keys() - {main}))
        self.tasks: dict[str, Fitted] = {name: taggers[name].tasks[name] for name in names}
        self._taggers = taggers

    @classmethod
    def load(
        cls, folder: Path, classes: Sequence[type] = (), conditions: Conditions | None = None
    ) -> TrainedTagger:
        """Read the folder that `save_tagger` wrote; arguments as of `load_taggers`."""
        return cls(*load_taggers(folder, classes), conditions)

    def tag(self, sentences: Sentences, task: str | None = None) -> list[Any]:
        """Return what is predicted of each sentence; for `tagging` a label for each word.

        Args:
            sentences: lists of words, as the corpora have them.
            task: the main task by default.

        Raises:
            UserError: there is no such task, or a sentence is no list of words.
        """
        name = task or self.main
        return self.tag_tasks(sentences, [name])[name].targets

    def tag_tasks(
        self, sentences: Sentences, tasks: Sequence[str], scores: bool = False
    ) -> dict[str, Tagged]:
        """Return what is predicted of each sentence by task, with probabilities if wanted.

        Tasks that share an input have the sentences encoded once; those that share all weights,
        such as with `keep=last`, have them run through the encoder once.
        """
        self.check_tasks(tasks)
        for sentence in sentences:
            if isinstance(sentence, str):
                raise UserError(
                    f"a sentence is {sentence[:60]!r}; it is a list of words, such as "
                    f"{sentence.split()[:4]}."
                )
            for word in sentence if isinstance(sentence, Sequence) else [sentence]:
                if not isinstance(word, str):
                    raise UserError(
                        f"a sentence holds {word!r:.60}; it is a list of words, which are text."
                    )
        count = len(sentences)
        filled = [number for number, sentence in enumerate(sentences) if len(sentence)]
        by_tagger: dict[int, list[str]] = {}
        for task in tasks:
            by_tagger.setdefault(id(self._taggers[task]), []).append(task)
        encoded: dict[int, EncodedSplit] = {}
        tagged: dict[str, Tagged] = {}
        with self.conditions.apply():
            for names in by_tagger.values():
                tagger = self._taggers[names[0]]
                if id(tagger.input) not in encoded:
                    encoded[id(tagger.input)] = tagger.input.encode([sentences[n] for n in filled])
                tagged |= tagger.tag(names, encoded[id(tagger.input)], scores)
        return {
            task: Tagged(*(self._in_places(task, values, filled, count) for values in tagged[task]))
            for task in tasks
        }

    def _in_places(
        self, task: str, values: list[Any] | None, places: Sequence[int], count: int
    ) -> Any:
        """Return the values of the sentences that have words among those of all."""
        if values is None:
            return None
        is_by_word = self.tasks[task].type.level == "word"
        every: list[Any] = [[] if is_by_word else None for _ in range(count)]
        for place, value in zip(places, values, strict=True):
            every[place] = value
        return every

    def evaluate(
        self, examples: Sequence[Example], task: str | None = None, complete: bool = False
    ) -> dict[str, float]:
        """Return the mean loss and the metrics of a task on labelled sentences.

        They are those of the run's final evaluation, number by number if the sentences are. Labels
        that training lacks count as misses.

        Args:
            examples: sentences with their targets, as readers yield them.
            task: the main task by default.
            complete: look at all words and sentences, even if the run's evaluations do not.

        Raises:
            UserError: there is no such task, or the examples are none of its type.
        """
        name = task or self.main
        self.check_tasks([name])
        fitted, tagger = self.tasks[name], self._taggers[name]
        whole = None if complete else self.conditions.whole
        max_length = None if complete else self.conditions.max_length.get(name)
        if not examples:
            raise UserError("there is no sentence to evaluate on.")
        if whole and len(examples) < whole:
            raise UserError(
                f"there are {len(examples)} sentences, and the run evaluates whole batches of "
                f"{whole} only (data.drop_last). Ask for all: `complete=True`, or `--complete`."
            )
        for number, example in enumerate(examples, start=1):
            try:
                fitted.type.validate(example)
            except (ValueError, TypeError) as error:
                raise UserError(f"task '{name}', sentence {number}: {error}.") from None
        fitted = Fitted(fitted.type, fitted.type.with_examples(fitted.targets, examples))
        corpus = Corpus(name, {"test": tuple(examples)}, fitted.type)
        tagger.scorers[name] = fitted.type.scorer(fitted.targets)
        with self.conditions.apply(), torch.no_grad():
            split = encode(tagger.input, fitted, corpus, "test", max_length)
            for numbers in evaluation_batches(split, whole):
                tagger.validation_step(tagger.input.collate(name, split, numbers))
        tagger.on_validation_epoch_end()
        return tagger.evaluated[name]

    def check_tasks(self, tasks: Sequence[str]) -> None:
        """Check that the tagger has some tasks.

        Raises:
            UserError: it lacks one.
        """
        for task in tasks:
            if task not in self.tasks:
                raise UserError(
                    f"the tagger has no task '{task}'. Its tasks: {', '.join(self.tasks)}."
                )
