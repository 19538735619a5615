"""The benchmarks run; what they measure is not a matter for tests."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

PARTS = {
    "step": ["--rounds=1", "packed nn.LSTM", "plain: whole training step", "Lightning"],
    "peers": ["--rounds=1", "mtl_bench, plain", "nn.LSTM, torch.optim.Adadelta"],
    "roofline": ["--task=syn_pos", "billion operations a second", "plain: milliseconds a step"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PARTS)
def test_it_is_measured(name):
    option, *parts = PARTS[name]
    command = [sys.executable, "-m", f"benchmarks.{name}", "--task", "syn_pos", option]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for part in parts:
        assert part in done.stdout
