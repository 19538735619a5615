"""Datasets of Hugging Face's library, written to disk."""

import pytest

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.readers.datasets import DatasetReader

datasets = pytest.importorskip("datasets", reason="the extra `datasets` is not installed")
NAMES = ["O", "B-PER", "I-PER"]
ROWS = {"tokens": [["Ada", "met"], ["no", "one"]], "ner_tags": [[1, 0], [0, 0]]}


def saved(tmp_path, rows=ROWS, features=None, split="train"):
    data = datasets.Dataset.from_dict(rows, features=features)
    folder = tmp_path / "dataset"
    (datasets.DatasetDict({split: data}) if split else data).save_to_disk(str(folder))
    return folder


def with_names():
    label = datasets.Sequence(datasets.ClassLabel(names=NAMES))
    return datasets.Features(
        {"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": label}
    )


def test_numbers_get_the_names_of_the_features(tmp_path):
    folder = saved(tmp_path, features=with_names())
    expected = [Example(("Ada", "met"), ("B-PER", "O")), Example(("no", "one"), ("O", "O"))]
    assert list(DatasetReader()(folder, "train")) == expected


def test_numbers_get_the_names_of_the_yaml(tmp_path):
    folder = saved(tmp_path, split=None)
    expected = [Example(("Ada", "met"), ("B-PER", "O")), Example(("no", "one"), ("O", "O"))]
    assert list(DatasetReader(classes=NAMES)(folder, None)) == expected


def test_a_text_with_one_class_is_read(tmp_path):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])}
    )
    folder = saved(tmp_path, {"text": ["It's fine."], "label": [1]}, features)
    assert list(DatasetReader()(folder, "train")) == [Example(("It's", "fine", "."), "good")]


@pytest.mark.parametrize(
    ("rows", "options", "part", "expected"),
    [
        (ROWS, {}, "train", "row 0: 'ner_tags' is 1, and nothing names it"),
        (ROWS, {"classes": ["O"]}, "train", "'ner_tags' is 1; there are names for 0 to 0"),
        (ROWS, {}, "dev", "has no split 'dev'. Name one by `part` in the task's yaml: train"),
        (ROWS, {"labels": "tags"}, "train", "has no column 'tags'. Columns: tokens, ner_tags"),
        ({"a": ["x"], "label": [0]}, {}, "train", "has none of tokens, words, text, sentence"),
        ({"tokens": [["a"]], "labels": [["O", "O"]]}, {}, "train", "1 words and 2 labels"),
        ({"tokens": [[" "]], "labels": [["O"]]}, {}, "train", "blank word"),
        ({"tokens": [["a"]], "labels": [[0.5]]}, {}, "train", "0.5, which is no label"),
    ],
)
def test_what_cannot_be_read_is_answered(tmp_path, rows, options, part, expected):
    folder = saved(tmp_path, rows)
    with pytest.raises(UserError) as error:
        list(DatasetReader(**options)(folder, part))
    assert expected in str(error.value)


def test_a_dataset_of_the_hub_needs_a_commit():
    with pytest.raises(UserError, match="'main' is no commit of 'conll2003'"):
        DatasetReader(hub="conll2003", revision="main")


def test_a_folder_that_is_no_dataset_is_answered(tmp_path):
    with pytest.raises(UserError, match="cannot be loaded"):
        list(DatasetReader()(tmp_path, "train"))
    with pytest.raises(UserError, match="is no folder that `save_to_disk` wrote"):
        list(DatasetReader()(tmp_path / "none", "train"))


def test_a_dataset_of_the_hub_is_asked_for_by_its_commit(monkeypatch):
    asked = []

    def load_dataset(*arguments, **options):
        asked.append((arguments, options))
        return datasets.DatasetDict(
            {"train": datasets.Dataset.from_dict(ROWS, features=with_names())}
        )

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    reader = DatasetReader(hub="conll2003", revision="0" * 40, config="en")
    assert len(list(reader(None, "train"))) == 2
    assert asked == [(("conll2003", "en"), {"revision": "0" * 40})]
