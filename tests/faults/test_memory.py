"""Runs that the system kills, since they need more memory than there is."""

import contextlib
import os
from functools import partial
from pathlib import Path

import pytest

from tests.faults.worlds import QUICK

GROUPS = Path("/sys/fs/cgroup/memory")
LIMIT = 300_000_000
"""Bytes: several times what small runs take beyond what they share, a fraction of the large one."""
SMALL_AND_LARGE = [each.replace("hidden_size=10", "hidden_size=10,2000") for each in QUICK]
COMMAND = ["-m", "main=syn_pos", "aux=syn_pos,syn_chu", "steps_per_task=2", *SMALL_AND_LARGE]


@pytest.fixture
def group():
    """A control group of processes that may take LIMIT bytes together."""
    folder = GROUPS / f"mtl_bench_{os.getpid()}"
    try:
        folder.mkdir()
        for name in ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"):  # no swap instead
            (folder / name).write_text(str(LIMIT))
        yield folder
    except OSError as error:
        pytest.skip(f"needs a memory control group (version 1) that can be limited: {error}")
    finally:
        with contextlib.suppress(OSError):  # processes of a test that failed are still in it
            folder.rmdir()


def enter(group):
    """Let this process, and those that it starts, count among those of a group."""
    (group / "cgroup.procs").write_text(str(os.getpid()))


@pytest.mark.slow
def test_runs_that_are_killed_for_memory_are_named_and_the_others_finish(new_world, group):
    undisturbed, world = new_world(), new_world()
    undisturbed.finish(*COMMAND)
    assert world.run(*COMMAND, patch=partial(enter, group)) == 1
    text = world.log.read_text()
    assert text.count("killed by SIGKILL; the system does that when memory runs out") >= 2, text
    assert "2 runs are not finished" in text
    before = world.finished()
    assert len(before) == 2
    assert all("2000" not in str(path) for path in before)
    world.finish(*COMMAND)
    world.check(undisturbed.outcome())
    assert before.items() <= world.finished().items()
