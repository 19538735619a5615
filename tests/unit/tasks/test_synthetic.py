"""The generated language: the same everywhere, and with known relations."""

import pytest
from hydra.utils import instantiate

from mtl_bench.config.tasks import make_type, plain_task, task_files
from mtl_bench.errors import UserError
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.readers.synthetic import SyntheticReader, reference_gains

NAMES = [name for name in task_files() if name.startswith("syn_")]


def corpora():
    loaded = {}
    for name in NAMES:
        task = plain_task(task_files()[name])
        loaded[name] = load_corpus(name, task, instantiate(task.reader), make_type(name, task))
    return loaded


@pytest.fixture(scope="module")
def loaded():
    return corpora()


def test_there_are_ten_of_a_tenth_of_the_papers_sizes(loaded):
    sizes = {name.removeprefix("syn_"): len(corpus["train"]) for name, corpus in loaded.items()}
    assert sizes == {
        "ccg": 3960, "chu": 894, "com": 960, "fnt": 371, "pos": 100,
        "hyp": 200, "key": 240, "mwe": 331, "sem": 1547, "str": 331,
    }  # fmt: skip


def test_they_are_the_same_in_every_process(loaded):
    # The sum of one corpus, so that a change of the language is not made by accident.
    assert loaded["syn_pos"].fingerprint() == corpora()["syn_pos"].fingerprint()
    assert loaded["syn_pos"].fingerprint().startswith("35f52dc8850a3498")


def test_help_is_directed(loaded):
    matrix = reference_gains(loaded)
    assert all(len(row) == 9 for row in matrix.values())
    assert matrix["syn_pos"]["syn_ccg"] > 10 * matrix["syn_ccg"]["syn_pos"]
    assert max(matrix["syn_pos"], key=matrix["syn_pos"].get) == "syn_ccg"
    assert sum(value < 0 for row in matrix.values() for value in row.values()) > 20
    assert matrix["syn_mwe"]["syn_pos"] < matrix["syn_mwe"]["syn_key"] < 0
    for main, aux in (
        ("chu", "ccg"),
        ("str", "sem"),
        ("mwe", "str"),
        ("key", "com"),
        ("fnt", "sem"),
    ):
        row = matrix[f"syn_{main}"]
        assert max(row, key=row.get) == f"syn_{aux}"
        assert row[f"syn_{aux}"] > max(0, 2 * matrix[f"syn_{aux}"][f"syn_{main}"])


def test_an_unknown_task_lists_the_ten():
    with pytest.raises(UserError, match="none of ccg, chu"):
        SyntheticReader("xyz")
