"""The compiled functions are built once, and where they cannot be, that is said."""

import pytest
import torch

from mtl_bench.models.kernels.compiled import compiler, kernels

build = kernels.__wrapped__  # what it returned before stays with this process
needs_compiler = pytest.mark.skipif(compiler() is None, reason="needs a C++ compiler")


def update():
    """Return what a compiled update makes of ones."""
    numbers = [torch.ones(3) for _ in "pgsd"]
    build().adadelta(*numbers, 1, 0.9, 1e-8)
    return numbers[0]


@needs_compiler
def test_it_is_built_once(tmp_path, monkeypatch):
    first = update()
    (library,) = (tmp_path / "cache/kernels").iterdir()
    before = library.stat().st_mtime_ns
    assert torch.equal(update(), first)
    assert library.stat().st_mtime_ns == before


@needs_compiler
def test_a_damaged_library_is_built_again(tmp_path):
    first = update()
    (library,) = (tmp_path / "cache/kernels").iterdir()
    library.unlink()  # what is loaded stays as it is
    library.write_bytes(b"")
    assert torch.equal(update(), first)


@pytest.mark.parametrize("value", ["no-such-compiler", "false", "true", "echo -n"])
def test_what_does_not_compile_is_named(value, monkeypatch):
    monkeypatch.setenv("CXX", value)
    with pytest.warns(UserWarning, match=rf"trainer.compiled: .*{value}.*Training is slower"):
        assert build() is None


@needs_compiler
def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match=r"Not a directory.*MTL_BENCH_CACHE"):
        assert build() is None


@needs_compiler
def test_tensors_that_it_cannot_work_on_are_refused():
    numbers = [torch.ones(3) for _ in "pgs"]
    for bad in (torch.ones(3, device="meta"), torch.ones(3, 2)[:, 0], torch.ones(3).double()):
        with pytest.raises(ValueError):
            build().adadelta(*numbers, bad, 1, 0.9, 1e-8)
