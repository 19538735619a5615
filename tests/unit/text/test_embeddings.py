"""Word vectors from files of every kind, and from chance; never from a silent fallback."""

import hashlib
import zipfile

import numpy as np
import pytest

from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import Corpus, Sentence
from mtl_bench.text.embeddings import PretrainedVectors, RandomVectors
from mtl_bench.text.vocabulary import Vocabulary

WORDS = ["the", "cat", "a b"]
VECTORS = np.array([[1, 2], [3, 4], [5, 9]], dtype=np.float32)
TEXT = "".join(f"{w} {x:g} {y:g}\n" for w, (x, y) in zip(WORDS, VECTORS, strict=True))


@pytest.fixture(params=["txt", "zip", "npz"])
def file(request, tmp_path):
    path = tmp_path / f"vectors.{request.param}"
    if request.param == "txt":
        path.write_text(TEXT)
    elif request.param == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("v.txt", TEXT)
    else:
        np.savez(path, words=np.array(WORDS), vectors=VECTORS, source=np.array([0, 1, 0]))
    return path


def test_every_kind_of_file_gives_the_same_table(file, tmp_path):
    vectors = PretrainedVectors(2, str(file), member="v.txt")
    known = vectors.known([])
    assert [known(word) for word in ("cat", "a b", "dog")] == [True, True, False]
    table, facts = vectors.table(Vocabulary(["cat", "the", "dog"]), seed=0)
    mean = VECTORS.mean(axis=0)
    np.testing.assert_allclose(table, [mean, mean, mean, [3, 4], mean, [1, 2]])
    assert facts["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert facts["fitted_rows"] == (1 if file.suffix == ".npz" else 0)
    again, _ = vectors.table(Vocabulary(["cat", "the", "dog"]), seed=1)
    assert np.array_equal(again, table)
    assert len(list((tmp_path / "cache/vectors").iterdir())) == 1


def test_vectors_are_mapped_from_one_place_in_the_cache(tmp_path):
    (tmp_path / "v.txt").write_text(TEXT)
    folder = PretrainedVectors(2, "v.txt")._converted()
    assert isinstance(np.load(folder / "vectors.npy", mmap_mode="r"), np.memmap)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("v.txt", "the 1 2\ncat 3\n", "line 2: expected a word and 2 numbers"),
        ("v.txt", "the 1 x\n", "line 1: expected a word and 2 numbers"),
        ("v.txt", "", "has no word vectors"),
        ("v.zip", "no archive", "not a zip archive"),
        ("absent.txt", None, "there is no file"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, expected):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=expected):
        PretrainedVectors(2, str(tmp_path / name), member="v.txt").known([])


def test_other_words_than_expected_are_refused(tmp_path):
    (tmp_path / "v.txt").write_text(TEXT)
    good = hashlib.sha256("\n".join(WORDS).encode()).hexdigest()
    PretrainedVectors(2, "v.txt", words_sha256=good).known([])
    with pytest.raises(UserError, match="are not those expected"):
        PretrainedVectors(2, "v.txt", words_sha256="0" * 64, member="x").known([])


def test_vectors_of_the_mirror_say_that_they_need_one():
    with pytest.raises(UserError, match="MTL_BENCH_MIRROR"):
        PretrainedVectors(2, "embeddings/x.npz", mirror_only=True).known([])


def test_rare_words_share_the_unknown_vector_where_vectors_are_random():
    sentences = (Sentence(("a", "b", "a"), ("x", "x", "x")),)
    corpus = Corpus(
        "t", {"train": sentences, "dev": (), "test": (Sentence(("c",) * 3, ("x",) * 3),)}
    )
    vectors = RandomVectors(dim=4, min_count=2, std=0.1)
    known = vectors.known([corpus])
    assert [known(word) for word in "abc"] == [True, False, False]
    table, facts = vectors.table(Vocabulary(["a"]), seed=0)
    assert facts == {"rows": 4}
    assert not table[:3].any()
    assert table[3].any()
    assert np.array_equal(table, vectors.table(Vocabulary(["a"]), seed=0)[0])
    assert not np.array_equal(table, vectors.table(Vocabulary(["a"]), seed=1)[0])
