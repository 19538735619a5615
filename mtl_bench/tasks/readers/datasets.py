"""Datasets of Hugging Face's library `datasets`: a name on the hub, or a folder that it wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.json_values import is_half_character
from mtl_bench.tasks.readers.texts import checked_names, class_of, words_of

REVISION = re.compile("[0-9a-f]{40}")
TEXT_NAMES = ("tokens", "words", "text", "sentence")
LABEL_NAMES = ("ner_tags", "labels", "tags", "pos_tags", "label")
"""What columns are usually called, in the order in which they are looked for."""


class DatasetReader:
    """Reads two columns: words (or a text), and labels (or one class).

    Whole numbers get the names that the dataset's features give them, or `classes`.
    """

    def __init__(
        self,
        hub: str | None = None,
        revision: str | None = None,
        config: str | None = None,
        words: str | None = None,
        labels: str | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        """Name the dataset and its columns.

        Args:
            hub: name on the hub; None: each split's `file` is a folder of `save_to_disk`.
            revision: commit on the hub, 40 hexadecimal digits, so that the data stays the same.
            config: which of the dataset's configurations.
            words: column of the words or the text; None: the first of TEXT_NAMES.
            labels: column of the labels or the class; None: the first of LABEL_NAMES.
            classes: names of the labels 0, 1, 2, ... where the features have none.
        """
        if hub and not REVISION.fullmatch(str(revision)):
            raise UserError(
                f"revision: {revision!r} is no commit of '{hub}'. Give the 40 hexadecimal digits "
                "that the hub shows under 'History', so that the data stays the same."
            )
        self.hub, self.revision, self.config = hub, revision, config
        self.words, self.labels = words, labels
        self.classes = checked_names(classes)

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:
        """Yield the rows of a split of the dataset, named by `part`."""
        place, dataset = self._load(file, part)
        words = self._column(place, dataset, "words", self.words, TEXT_NAMES)
        labels = self._column(place, dataset, "labels", self.labels, LABEL_NAMES)
        names = self.classes or _names(dataset.features[labels])
        for number, row in enumerate(dataset):
            where = f"{place}, row {number}"
            texts = _words(where, words, row[words])
            target = row[labels]
            if isinstance(target, list):
                if len(target) != len(texts):
                    raise UserError(f"{where}: {len(texts)} words and {len(target)} labels.")
                target = tuple(_name(where, labels, each, names, self.classes) for each in target)
            else:
                target = _name(where, labels, target, names, self.classes)
            if texts:
                yield Example(texts, target)
            else:
                yield Note("sentences without words left out", f"row {number}")

    def _load(self, file: Path | None, part: str | None) -> tuple[str, Any]:
        """Return a split, and what to call it in errors."""
        try:
            import datasets
        except ImportError:
            raise UserError(
                "its reader needs a package that is not installed:\n"
                "  pip install 'mtl-bench[datasets]'"
            ) from None
        if not self.hub and (file is None or not file.is_dir()):
            raise UserError(
                f"{file or 'file'}: is no folder that `save_to_disk` wrote. Name one in each split "
                "of the task's yaml, or a dataset of the hub by `hub` and `revision`."
            )
        place = self.hub or str(file)
        try:
            if self.hub:
                loaded = datasets.load_dataset(self.hub, self.config, revision=self.revision)
            else:
                loaded = datasets.load_from_disk(str(file))
        except Exception as error:  # the library raises errors of many libraries
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"{place}: cannot be loaded: {reason}") from error
        if isinstance(loaded, Mapping):
            if part not in loaded:
                raise UserError(
                    f"{place}: has no split {part!r}. Name one by `part` in the task's yaml: "
                    f"{', '.join(map(str, loaded))}."
                )
            loaded = loaded[part]
        elif part:
            raise UserError(
                f"{place}: is one dataset without splits, and so has no split {part!r}. Leave out "
                "`part`, and give each split a folder, or a range of `sentences`."
            )
        try:
            loaded.data.validate(full=True)
        except Exception as error:  # pyarrow's; what reads a damaged file may end the process
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"{place}: is damaged: {reason}") from error
        return f"{place}, split {part}" if part else place, loaded

    @staticmethod
    def _column(
        place: str, dataset: Any, option: str, given: str | None, usual: Sequence[str]
    ) -> str:
        columns = list(dataset.column_names)
        name = given or next((each for each in usual if each in columns), None)
        if name is None or name not in columns:
            what = f"has no column '{given}'" if given else f"has none of {', '.join(usual)}"
            raise UserError(
                f"{place}: {what}. Columns: {', '.join(columns)}. Name one by the reader's option "
                f"`{option}`."
            )
        return name


def _names(feature: Any) -> list[str] | None:
    """Return the names that a feature gives whole numbers; None if it gives none."""
    names = getattr(getattr(feature, "feature", feature), "names", None)
    return list(names) if names else None


def _words(where: str, column: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        words = words_of(value)
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        words = tuple(word.strip() for word in value)
    else:
        raise UserError(f"{where}: '{column}' is neither a text nor a list of words.")
    for word in words:
        if not word or is_half_character(word):
            raise UserError(f"{where}: '{column}' has a blank word, or half a character.")
    return words


def _name(
    where: str,
    column: str,
    label: Any,
    names: Sequence[str] | None,
    given: Sequence[str] | None,
) -> str:
    """Return the name of a label."""
    if isinstance(label, str) and label.strip():
        if given is not None:
            try:
                return class_of(label, given)
            except ValueError as error:
                raise UserError(f"{where}: '{column}': {error}") from None
        return label.strip()
    # By type: to `isinstance`, true is a whole number as well.
    if type(label) is not int:
        raise UserError(f"{where}: '{column}' is {label!r}, which is no label.")
    if names is None:
        raise UserError(
            f"{where}: '{column}' is {label}, and nothing names it. Set the reader's `classes`: "
            "[O, B-PER, ...]."
        )
    if not 0 <= label < len(names):
        raise UserError(
            f"{where}: '{column}' is {label}; there are names for 0 to {len(names) - 1}."
        )
    return names[label]
