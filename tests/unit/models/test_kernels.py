"""The compiled functions are built once, and where they cannot be, the plain loops run."""

import pytest
import torch

from mtl_bench.models import kernels
from mtl_bench.models.kernels.build import build
from mtl_bench.models.kernels.library import AdadeltaOptions
from mtl_bench.models.tagger import Tagger
from tests.unit.models._inputs import batch, tagging, word_input
from tests.unit.models.test_tagger import ENCODER, LAZY

OPTIONS = AdadeltaOptions(1, 0.9, 1e-8)
needs_compiler = pytest.mark.skipif(kernels.compiler() is None, reason="needs a C++ compiler")


@pytest.fixture(autouse=True)
def new_process(tmp_path, monkeypatch):
    """Forget what this process has loaded, share no cache, and use the plain loops afterwards."""
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "own"))
    kernels._built.cache_clear()
    yield
    kernels.use(False)


def update():
    """Return what a compiled update makes of ones."""
    numbers = [torch.ones(3) for _ in "pgsd"]
    build().adadelta(*numbers[:2], tuple(numbers[2:]), OPTIONS)
    return numbers[0]


@needs_compiler
def test_it_is_built_once_and_that_is_said_once(tmp_path, capfd):
    first = update()
    (library,) = (tmp_path / "own/kernels").iterdir()
    note = f"note: compiling kernels (once; kept in {library.parent})\n"
    assert capfd.readouterr().err == note
    before = library.stat().st_mtime_ns
    assert torch.equal(update(), first)
    assert library.stat().st_mtime_ns == before
    assert capfd.readouterr().err == ""


@needs_compiler
def test_a_damaged_library_is_built_again(tmp_path):
    first = update()
    (library,) = (tmp_path / "own/kernels").iterdir()
    library.unlink()  # what is loaded stays as it is
    library.write_bytes(b"")
    assert torch.equal(update(), first)


@pytest.mark.parametrize("value", ["no-such-compiler", "false", "true", "echo -n"])
def test_what_does_not_compile_is_named_where_it_was_asked_for(value, monkeypatch):
    monkeypatch.setenv("CXX", value)
    with pytest.warns(UserWarning, match=rf"trainer.compiled: .*{value}.*Training is slower"):
        assert kernels.use("true") == "plain"
    assert kernels.use("auto") == "plain"  # without a warning


@needs_compiler
def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MTL_BENCH_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match=r"Not a directory.*MTL_BENCH_CACHE"):
        assert kernels.use(True) == "plain"
    assert kernels.use("auto") == "plain"


@needs_compiler
def test_the_choice_is_one_of_three():
    assert kernels.use("auto") == kernels.use("true") == kernels.use(True) == "compiled"
    assert kernels.use("false") == kernels.use(False) == kernels.use("auto", "gpu") == "plain"
    with pytest.raises(ValueError, match="compiled is 'maybe'; it is one of auto, true, false"):
        kernels.use("maybe")


@needs_compiler
def test_tensors_that_it_cannot_work_on_are_refused():
    numbers = [torch.ones(3) for _ in "pgs"]
    for bad in (torch.ones(3, device="meta"), torch.ones(3, 2)[:, 0], torch.ones(3).double()):
        with pytest.raises(ValueError):
            build().adadelta(*numbers[:2], (numbers[2], bad), OPTIONS)


@needs_compiler
@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-9), (torch.float32, 1e-3)])
def test_compiled_and_plain_training_agree_to_rounding(dtype, rtol):
    traces = []
    for mode in ("true", "false"):
        kernels.use(mode)
        torch.manual_seed(0)
        tasks = {"a": tagging(), "b": tagging(("x", "y"), outside=None)}
        tagger = Tagger(word_input(), ENCODER, tasks, LAZY).to(dtype)
        optimizer = tagger.configure_optimizers()
        losses = []
        for step in range(40):
            task = "ab"[step % 3 % 2]
            one = batch([5, 3, 9, 7], task=task, seed=step, labels=4)
            optimizer.zero_grad()
            loss = tagger.loss(one)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        traces.append(torch.stack(losses))
    torch.testing.assert_close(*traces, rtol=rtol, atol=0)
