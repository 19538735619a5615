"""The server from which the commands of these tests are forked."""

import itertools
from multiprocessing import forkserver
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.faults.worlds import PRELOAD, World


@pytest.fixture
def new_world(own_world, tmp_path, monkeypatch):
    """Make the next world: a folder in which commands run."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc, where processes and their parents stand")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))  # for the server: it imports the tests
    forkserver._forkserver._stop()
    monkeypatch.setattr(forkserver._forkserver, "_preload_modules", PRELOAD)
    kernels = (tmp_path / "cache" / "kernels").resolve()
    numbers = itertools.count()
    return lambda: World(tmp_path / f"world{next(numbers)}", kernels)
