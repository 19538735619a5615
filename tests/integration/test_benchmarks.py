"""The benchmarks run; what they measure is not a matter for tests."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_the_step_is_measured():
    command = [sys.executable, "-m", "benchmarks.step", "--task", "syn_pos", "--rounds", "1"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for part in ("packed nn.LSTM", "whole training step", "Lightning"):
        assert part in done.stdout
