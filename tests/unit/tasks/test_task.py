"""Task definitions and the corpora that follow from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.config.tasks import read_task, task_files
from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.definition import Split, Task, checksums
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.fetch import Source
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.types.labels import train_labels
from mtl_bench.tasks.types.tagging import Tagging

SENTENCES = [Example((f"w{n}",), ("x",)) for n in range(10)]


def load(splits):
    task = Task("title", {}, splits)
    return load_corpus("t", task, lambda file, part: iter(SENTENCES), Tagging())


@pytest.mark.parametrize("keys", [{"root": "x"}, {"obtain": "ask"}, {"obtain": "ask", "root": ""}])
def test_root_and_obtain_belong_together(keys):
    task = Task("title", {}, {"train": Split("f"), "test": Split("f")}, **keys)
    with pytest.raises(UserError, match="`root` and `obtain` belong together"):
        load_corpus("t", task, None, Tagging())


def test_files_without_a_checksum_are_noticed_when_they_change(tmp_path, monkeypatch):
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path))
    (tmp_path / "raw/x").mkdir(parents=True)
    source = Source("raw/x/a", "https://x")
    task = Task("title", {}, {"train": Split("raw/x"), "test": Split("raw/x")}, [source])
    sums = set()
    for content in ("one", "longer"):
        (tmp_path / "raw/x/a").write_text(content)
        sums.add(checksums("t", task)["train"])
    assert len(sums) == 2


def test_splits_are_slices_of_one_file():
    corpus = load({"train": Split(sentences="4:"), "test": Split(sentences=":4")})
    assert corpus["test"] == tuple(SENTENCES[:4])
    assert corpus["train"] == tuple(SENTENCES[4:])
    assert corpus["dev"] == ()


@pytest.mark.parametrize("sentences", ["4", "a:b", "-1:", "5:5", "7:3"])
def test_a_range_that_is_none_is_refused(sentences):
    with pytest.raises(UserError, match="is not a range"):
        load({"train": Split(sentences=sentences), "test": Split()})


@pytest.mark.parametrize("splits", [{"train": Split()}, {"train": Split(), "tset": Split()}])
def test_train_and_test_are_needed(splits):
    with pytest.raises(UserError, match="'train' and 'test' are needed"):
        load(splits)


def test_a_split_without_sentences_is_refused():
    with pytest.raises(UserError, match="test split has no sentences; sentences 10:20"):
        load({"train": Split(), "test": Split(sentences="10:20")})


def test_dev_is_a_seeded_share_of_train_where_there_is_none():
    corpus = load({"train": Split(), "test": Split(sentences=":2")})
    one, two = corpus.with_dev(0.3, seed=1), corpus.with_dev(0.3, seed=1)
    assert one == two
    assert len(one["dev"]) == 3
    assert sorted(one["dev"] + one["train"]) == sorted(corpus["train"])
    assert corpus.with_dev(0.3, seed=2)["dev"] != one["dev"]
    assert one.with_dev(0.5, seed=1) is one
    assert corpus.with_dev(0, seed=1) is corpus


def test_a_share_that_leaves_no_train_is_refused():
    with pytest.raises(UserError, match=r"data\.dev_fraction"):
        Corpus("t", {"train": tuple(SENTENCES[:1]), "dev": (), "test": ()}, Tagging()).with_dev(
            0.5, 0
        )


@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1), min_size=2), st.integers(0, 9))
def test_train_keeps_every_label_when_a_share_becomes_dev(labels, seed):
    train = tuple(Example(("w",) * len(each), tuple(each)) for each in labels)
    corpus = Corpus("t", {"train": train, "dev": (), "test": ()}, Tagging())
    try:
        cut = corpus.with_dev(0.5, seed)
    except UserError as error:
        assert "a label that no other training sentence has" in str(error)
        return
    assert train_labels(cut.splits) == train_labels(corpus.splits)
    assert sorted(cut["train"] + cut["dev"]) == sorted(train)
    counts = {remark.text: remark.total for remark in cut.remarks}
    assert counts.pop("train: sentences set aside as dev (data.dev_fraction)") == len(cut["dev"])
    assert sum(counts.values()) == max(1, round(0.5 * len(train))) - len(cut["dev"])


def test_what_no_split_uses_and_what_a_reader_notes_is_counted(tmp_path):
    (tmp_path / "f").write_text("")

    def reader(file, part):
        yield Note("lines left out", "line 7")
        yield from SENTENCES
        yield Note("lines left out", "line 9", 2)

    splits = {"train": Split("f", sentences=":4"), "test": Split("f", sentences="6:8")}
    corpus = load_corpus("t", Task("title", {}, splits, folder=str(tmp_path)), reader, Tagging())
    assert [str(remark) for remark in corpus.remarks] == [
        "f: lines left out: 3, first in line 7",
        "f: sentences that no split uses: 4, first in sentence 5",
    ]


def test_the_fingerprint_tells_words_labels_and_borders_apart():
    def corpus(*sentences):
        return Corpus("t", {"train": sentences, "dev": (), "test": ()}, Tagging())

    a, b = Example(("a", "b"), ("x", "y")), Example(("a", "b"), ("x", "x"))
    halves = Example(("a",), ("x",)), Example(("b",), ("y",))
    moved = Corpus("t", {"train": (), "dev": (a,), "test": ()}, Tagging())
    prints = {c.fingerprint() for c in (corpus(a), corpus(b), corpus(*halves), moved)}
    assert len(prints) == 4
    assert corpus(a).fingerprint() == corpus(Example(*a)).fingerprint()


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("title: t\nreader: {}\nsplits: {}\nlabel: 2", "'label'"),
        ("title: t\nreader: {}", "lacks splits"),
        ("title: [t", "not valid YAML"),
        ("title: t\nreader: {}\nsplits: {}\nmax_length: long", "'long'"),
    ],
)
def test_a_wrong_yaml_names_file_and_key(tmp_path, yaml, expected):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml)
    with pytest.raises(UserError) as error:
        read_task(file)
    assert str(file) in str(error.value)
    assert expected in str(error.value)


@pytest.mark.parametrize("name", ["main", "Mine", "a+b", "a.b"])
def test_names_that_would_break_folders_are_refused(tmp_path, monkeypatch, name):
    (tmp_path / f"{name}.yaml").write_text("title: t")
    monkeypatch.setenv("MTL_BENCH_TASKS", str(tmp_path))
    with pytest.raises(UserError, match="cannot be a task's name"):
        task_files()


def test_a_name_that_stands_twice_is_refused(tmp_path, monkeypatch):
    (tmp_path / "chu.yaml").write_text("title: t")
    monkeypatch.setenv("MTL_BENCH_TASKS", str(tmp_path))
    with pytest.raises(UserError, match="'chu' is defined twice"):
        task_files()
