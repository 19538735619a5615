"""Word vectors from files of every kind, and from chance; never from a silent fallback."""

import bz2
import gzip
import hashlib
import lzma
import zipfile

import numpy as np
import pytest

from mtl_bench.errors import UserError
from mtl_bench.text.embeddings import RandomVectors
from mtl_bench.text.pretrained import PretrainedVectors
from mtl_bench.text.vector_files import read_vectors
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
    has_vector = vectors.with_vector([])
    assert [has_vector(word) for word in ("cat", "a b", "dog")] == [True, True, False]
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
        ("v.txt", "the 1 2 3\ncat 3 4 5\n", "vectors have 3 numbers; .* Type `embeddings.dim=3`"),
        ("v.txt", "the 1\n", "vectors have 1 numbers; .* Type `embeddings.dim=1`"),
        ("v.txt", "1 3\nthe 1 2 3\n", "vectors have 3 numbers; .* Type `embeddings.dim=3`"),
        ("v.txt", "1 300\nthe 1 2\n", "promises vectors of 300 numbers, but the next line has 2"),
        (
            "v.txt",
            "the 1 2\ncat nan 3\n",
            "1 vectors have numbers that are not finite, first that of 'cat' .row 2",
        ),
        ("v.txt", b"the 1 2\nk\xf6ln 3 4\n", "The word is not UTF-8. Convert the file"),
        ("v.txt", "3 2\nthe 1 2\n", "promises 3 words, but it has 1. It may be cut short"),
        ("v.bin", b"2 2\nthe \x9a\xf1\x80\x01\n", "A binary file of word2vec or fastText"),
        ("v.gz", b"\x1f\x8bno", "compression is damaged, or cut short"),
        ("v.npz", b"PK\x03\x04", "is not an .npz of the arrays"),
        ("v.npz", "words", "is not an .npz of the arrays"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, expected):
    if content is not None:
        content = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=expected):
        PretrainedVectors(2, str(tmp_path / name), member="v.txt").with_vector([])


def test_other_words_than_expected_are_refused(tmp_path):
    (tmp_path / "v.txt").write_text(TEXT)
    good = hashlib.sha256("\n".join(WORDS).encode()).hexdigest()
    PretrainedVectors(2, "v.txt", words_sha256=good).with_vector([])
    with pytest.raises(UserError, match="are not those expected"):
        PretrainedVectors(2, "v.txt", words_sha256="0" * 64, member="x").with_vector([])


def test_vectors_of_the_mirror_say_that_they_need_one():
    with pytest.raises(UserError, match="MTL_BENCH_MIRROR"):
        PretrainedVectors(2, "embeddings/x.npz", mirror_only=True).with_vector([])


def test_rare_words_share_the_unknown_vector_where_vectors_are_random():
    vectors = RandomVectors(dim=4, min_count=2, std=0.1)
    has_vector = vectors.with_vector(iter("aba"))
    assert [has_vector(word) for word in "abc"] == [True, False, False]
    table, facts = vectors.table(Vocabulary(["a"]), seed=0)
    assert facts == {"rows": 4}
    assert not table[:3].any()
    assert table[3].any()
    assert np.array_equal(table, vectors.table(Vocabulary(["a"]), seed=0)[0])
    assert not np.array_equal(table, vectors.table(Vocabulary(["a"]), seed=1)[0])


@pytest.mark.parametrize("header", ["", "\ufeff", "3 2\n", "\ufeff3 2 \n"])
@pytest.mark.parametrize("blank", [" ", "\t", "  "])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_text_of_every_kind_is_read(tmp_path, header, blank, compress):
    rows = TEXT.replace(" b", "_b").replace(" ", blank).replace("_b", " b").replace("\n", " \n")
    (tmp_path / "v.vec").write_bytes(compress((header + rows + "\n").encode()))
    read = read_vectors(tmp_path / "v.vec", 2, None, None)
    assert list(read.words) == WORDS
    assert np.array_equal(read.vectors, VECTORS)


def test_of_repeated_rows_the_first_counts_and_the_others_are_counted(tmp_path):
    (tmp_path / "v.txt").write_text("the 1 2\ncat 3 4\nthe 5 6\nthe 7 8\n")
    vectors = PretrainedVectors(2, "v.txt")
    assert vectors.table(Vocabulary(["the"]), 0)[0][3].tolist() == [1, 2]
    assert vectors.remarks({"the"}) == ["v.txt: rows left out, whose word an earlier row has: 2"]


def test_words_that_another_case_would_find_are_counted(tmp_path):
    (tmp_path / "v.txt").write_text("The 1 2\nCat 3 4\nsat 5 6\n")
    [remark] = PretrainedVectors(2, "v.txt").remarks({"the", "cat", "sat", "x"})
    assert remark == (
        "v.txt: 2 of 4 different words have a vector in another case only: type data.lowercase=false"
    )
    (tmp_path / "small.txt").write_text("the 1 2\n")
    assert PretrainedVectors(2, "small.txt").remarks({"The", "x"}) == [
        "small.txt: 1 of 2 different words have a vector in another case only: type "
        "data.lowercase=true"
    ]
    assert PretrainedVectors(2, "small.txt").remarks({"the", "x"}) == []
    (tmp_path / "upper.txt").write_text("THE 1 2\nCAT 1 2\n")
    for words in ({"the", "cat"}, {"The", "Cat"}):
        [remark] = PretrainedVectors(2, "upper.txt").remarks(words)
        assert "2 of 2" in remark
        assert "write the words of the file in lower case, and type data.lowercase=true" in remark


@pytest.mark.parametrize(
    "options",
    [
        {"dim": "x"},
        {"dim": 2.5},
        {"dim": -3},
        {"dim": True},
        {"min_count": "x"},
        {"min_count": 0},
        {"std": "x"},
        {"std": -1},
        {"std": float("inf")},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RandomVectors(**{"dim": 4, "min_count": 1, "std": 0.1, **options})
