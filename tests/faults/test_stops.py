"""SIGTERM to all processes at once, and workers that are killed once."""

import collections
import os
import random
import re
import signal
import time
from functools import partial

import pytest

from tests.faults.worlds import SEARCH, SWEEP, TUNING, members, number_of_faults

STOPS = number_of_faults(6, 60)
KILLED_WORKERS = number_of_faults(2, 8)
"""The n-th run that begins is killed, for n to this number."""


@pytest.mark.slow
def test_sigterm_to_all_processes_is_exit_code_143(new_world):
    """As of systemd and scancel."""
    draw, command = random.Random(0), [*SWEEP, "steps_per_task=50"]
    undisturbed = new_world()
    undisturbed.finish("mtl-bench", "--help")  # the server imports what it forks
    begin = time.monotonic()
    undisturbed.finish(*command)
    seconds = time.monotonic() - begin
    codes, world = collections.Counter(), new_world()
    while codes.total() < STOPS:
        process = world.start(*command, f"callbacks.checkpoint_seconds={draw.choice([0, 60])}")
        process.join(draw.uniform(0.3, 0.5 * seconds))
        if process.exitcode is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.join(60)
            codes[process.exitcode] += 1
            assert not members(process.pid)
        else:
            assert process.exitcode == 0, world.text()[-3000:]
        assert "Traceback" not in world.text()
        if process.exitcode == 0:
            world = new_world()
    world.finish(*command)
    world.check(undisturbed.outcome())
    print(f"{STOPS} times SIGTERM to all processes: {dict(codes)}")
    # What has not begun dies of the signal, which a shell calls 143, too.
    assert codes.keys() <= {143, -signal.SIGTERM}
    assert codes[143] > STOPS / 2


def die(number, file, tasks=""):
    """Kill the worker that begins the n-th run, of those whose folder says that it is of tasks."""
    from mtl_bench.training import run

    train = run._train

    def begin(session):
        if tasks in session.folder.as_posix():
            with file.open("ab", buffering=0) as begun:
                begun.write(b"x")
                if begun.tell() == number:
                    os.kill(os.getpid(), signal.SIGKILL)
        return train(session)

    run._train = begin


@pytest.mark.slow
def test_a_tuning_whose_worker_is_killed_says_so_and_ends_as_undisturbed(new_world):
    undisturbed = new_world()
    undisturbed.finish(*TUNING)
    expected = undisturbed.outcome()
    for number in range(1, KILLED_WORKERS + 1):
        world = new_world()
        assert world.run(*TUNING, patch=partial(die, number, world.cache / "begun")) == 1, number
        assert "was killed by SIGKILL" in world.log.read_text()
        world.finish(*TUNING)
        world.check(expected, more_runs=True)
    print(f"{KILLED_WORKERS} tunings with a killed worker: 1, and after a re-run as undisturbed")


def answer_of(world):
    """Return the recommendation, without how long it took."""
    file = world.folder / "answer"
    world.finish("mtl-bench", "recommend", "multirun_outputs/demo_recommend", log=file)
    return re.sub(r"[\d.]+ (s|min)\b", "", file.read_text())


@pytest.mark.slow
def test_a_search_asks_once_more_for_a_run_that_was_killed(new_world):
    undisturbed = new_world()
    undisturbed.finish(*SEARCH)
    expected = undisturbed.outcome()
    answer = answer_of(undisturbed)
    kills = [
        (n, t) for n in range(1, KILLED_WORKERS + 1) for t in ("/syn_pos/", "/syn_chu+syn_pos/")
    ]
    for number, tasks in kills[: KILLED_WORKERS + 1]:
        world = new_world()
        world.finish(*SEARCH, patch=partial(die, number, world.cache / "begun", tasks))
        assert answer_of(world) == answer, (number, tasks, world.log)
        world.check(expected)
    print(f"{KILLED_WORKERS + 1} searches with a killed worker end as the undisturbed one")
