"""Corpora that were read before."""

import pytest

from mtl_bench.tasks import cache
from mtl_bench.tasks.definition import Split, Task
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.types.tagging import Tagging

READER = {"_target_": "mtl_bench.tasks.readers.columns.ColumnReader"}
SENTENCES = [(("a\x85b", "\u017f"), ("X", "\N{GRINNING FACE}")), (("c",), ("X",))]


@pytest.fixture
def load(tmp_path):
    """Load a corpus; tell how often it was read."""
    (tmp_path / "file").write_text("content")
    reads = []

    def reader(file, part):
        reads.append(file)
        return (Example(*s) for s in SENTENCES)

    def load(reader_config=READER, sentences=None):
        splits = {"train": Split("file", sentences=sentences), "test": Split("file")}
        task = Task("t", dict(reader_config), splits, folder=str(tmp_path))
        return load_corpus("t", task, reader, Tagging()), len(reads)

    return load


def test_a_corpus_is_read_once(load, tmp_path):
    first, reads = load()
    assert (first["test"], reads) == (tuple(SENTENCES), 1)
    assert load() == (first, 1)
    assert load(sentences="1:")[1] == 2
    assert load({**READER, "word": 2})[1] == 3
    (tmp_path / "file").write_text("other content")
    assert load()[1] == 4


def test_changed_code_reads_anew(load, monkeypatch):
    load()
    monkeypatch.setattr(cache, "_code", lambda: "changed")
    assert load()[1] == 2


def test_what_a_reader_of_ones_own_yields_is_not_kept(load):
    load({"_target_": "my.Reader"})
    assert load({"_target_": "my.Reader"})[1] == 2


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" * 99])
def test_a_damaged_file_is_read_anew(load, tmp_path, damage):
    first, _ = load()
    [file] = (tmp_path / "cache/corpora").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert load() == (first, 2)
    assert load() == (first, 2)


def test_no_changed_bit_goes_unnoticed(load, tmp_path):
    first, _ = load()
    [file] = (tmp_path / "cache/corpora").iterdir()
    content = file.read_bytes()
    for place in range(0, len(content), 7):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert load()[0] == first
    assert load()[1] == 1 + len(range(0, len(content), 7))


def test_a_few_variants_are_kept(load, tmp_path):
    for word in range(1, 9):
        load({**READER, "word": word})
    assert len(list((tmp_path / "cache/corpora").iterdir())) == 4


def test_a_cache_that_cannot_be_written_costs_time_only(load, tmp_path, monkeypatch):
    (tmp_path / "no_folder").write_text("")
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "no_folder"))
    first, _ = load()
    assert load() == (first, 2)
