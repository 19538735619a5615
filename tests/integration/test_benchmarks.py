"""The benchmarks run; what they measure is not a matter for tests."""

import importlib
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

PARTS = {
    "step": ["packed nn.LSTM", "plain: whole training step", "Lightning"],
    "peers": ["mtl_bench, plain", "nn.LSTM, torch.optim.Adadelta"],
    "roofline": ["billion operations a second", "plain: milliseconds a step"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PARTS)
def test_it_is_measured(name):
    command = [sys.executable, "-m", f"benchmarks.{name}", "--task", "syn_pos", "--rounds", "1"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for part in PARTS[name]:
        assert part in done.stdout


@pytest.mark.parametrize(
    "file", sorted((REPOSITORY / "benchmarks").glob("*.py")), ids=lambda file: file.stem
)
def test_a_benchmark_fits_the_package(file):
    # Slow tests run them; what they import may have moved before.
    module = importlib.import_module(f"benchmarks.{file.stem}".removesuffix(".__init__"))
    assert module.__doc__
