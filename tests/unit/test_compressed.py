"""A compressed file is read up to a limit; the limit can be raised."""

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile

import pytest

from mtl_bench.compressed import open_file
from mtl_bench.errors import UserError
from mtl_bench.runs.result_sets import unpacked
from mtl_bench.tasks.readers.columns import ColumnReader
from mtl_bench.tasks.readers.corpora.naf import NafReader
from mtl_bench.text.vector_files import read_vectors

COMPRESS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
SIZE = 30_000_000


def write(folder, suffix, content):
    """Write a file, or a zip archive with a member `m.txt`; return what the reader is to be given."""
    file = folder / f"file{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("m.txt", content)
        return file, "m.txt"
    file.write_bytes(COMPRESS[suffix](content))
    return file, None


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setenv("MTL_BENCH_MAX_GB", "0.001")


@pytest.mark.parametrize("suffix", [*COMPRESS, ".zip"])
@pytest.mark.parametrize("line", [b"a\tX\n", b"a"], ids=["lines", "one line"])
def test_a_small_file_that_expands_without_end_is_refused(tmp_path, small_limit, suffix, line):
    file, part = write(tmp_path, suffix, line * (SIZE // len(line)))
    assert file.stat().st_size < SIZE / 100
    tracemalloc.start()
    with pytest.raises(UserError, match=r"expands to more than 0.001 GB.*MTL_BENCH_MAX_GB"):
        list(ColumnReader(1, 2)(file, part))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < SIZE


def test_the_limit_can_be_raised(tmp_path, small_limit, monkeypatch):
    content = b"a\tX\n\n" * 400_000
    file, _ = write(tmp_path, ".gz", content)
    with pytest.raises(UserError, match="expands"), open_file(file) as stream:
        stream.read()
    monkeypatch.setenv("MTL_BENCH_MAX_GB", "0.0021")
    with open_file(file) as stream:
        assert stream.read() == content
    monkeypatch.setenv("MTL_BENCH_MAX_GB", "many")
    with pytest.raises(UserError, match="MTL_BENCH_MAX_GB=many: expected a number"):
        list(ColumnReader(1, 2)(file, None))


def test_a_plain_file_has_no_limit(tmp_path, small_limit):
    (tmp_path / "file.tsv").write_bytes(b"a\tX\n\n" * 220_000)
    assert sum(1 for _ in ColumnReader(1, 2)(tmp_path / "file.tsv", None)) == 220_000


@pytest.mark.parametrize("suffix", COMPRESS)
def test_word_vectors_and_result_sets_have_a_limit(tmp_path, small_limit, suffix):
    file, _ = write(tmp_path, suffix, b"a 1 2\n" * 400_000)
    with pytest.raises(UserError, match="expands to more"):
        read_vectors(file, 2, None, None)
    stranger = tmp_path / "set.tar.xz"
    stranger.write_bytes(lzma.compress(bytes(SIZE)))
    with pytest.raises(UserError, match="expands to more"):
        unpacked(stranger)


def test_documents_whose_entities_expand_are_refused(tmp_path):
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 50}">' for n in range(1, 9))
    text = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "word">{levels}]><a>&e8;</a>'
    (tmp_path / "a.naf").write_text(text)
    with pytest.raises(UserError, match="is not valid XML"):
        list(NafReader()(tmp_path, None))


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("place", [0.3, 0.9])
def test_a_flipped_bit_of_a_compressed_file_is_answered(tmp_path, suffix, place):
    content = io.BytesIO()
    for number in range(40_000):
        content.write(f"w{number * 7919 % 10007}\tX\n".encode())
    file, _ = write(tmp_path, suffix, content.getvalue())
    damaged = bytearray(file.read_bytes())
    damaged[int(place * len(damaged))] ^= 4
    file.write_bytes(damaged)
    with pytest.raises(UserError, match=f"file{suffix}"):
        list(ColumnReader(1, 2)(file, None))
