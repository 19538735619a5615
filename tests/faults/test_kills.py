"""Sweeps that are killed at random moments, and run again until they end, lose nothing."""

import collections
import random
import time

import pytest

from mtl_bench.text import states
from tests.faults.worlds import PAIR, SEARCH, SWEEP, TUNING, kill, number_of_faults

KILLS = number_of_faults(5, 40)
"""Of each kind of sweep."""
TRIES = 12
"""Kills in a row; then a command is left alone, as the last ones would never come to an end."""
CONTEXTUAL = [*(each for each in PAIR if "dim" not in each), "steps_per_task=20"]
KINDS = {
    "sweep": [[*SWEEP, "steps_per_task=50"]],
    "extension": [
        [*SWEEP, "steps_per_task=20", "keep_checkpoint=true"],
        [*SWEEP, "steps_per_task=50"],
    ],
    "contextual": [["embeddings=contextual", "embeddings.layers=last_2", *CONTEXTUAL]],
    "search": [SEARCH],
    "tuning": [TUNING],
}


def many_parts():
    """Frozen states are computed in many parts, each of which is a moment to be killed in."""
    states.PART_WORDS = 1500


def budget_of(command):
    return next(float(each[15:]) for each in command if each.startswith("steps_per_task="))


def disturbed(world, command, draw, seconds, kills, most):
    """Run a command until it ends by itself; count whom was killed, and what was looked at."""
    for number in range(TRIES + 20):
        often = f"callbacks.checkpoint_seconds={draw.choice(['0', '0.1', '60'])}"
        before = world.finished(budget_of(command))
        process = world.start(*command, often, patch=many_parts)
        if number < TRIES and kills.total() < most:
            process.join(draw.uniform(0.1, 0.6 * seconds))
        else:
            process.join(300)
        code = process.exitcode
        if code is None:
            whom = draw.choice(["group", "group", "main", "worker", "workers"])
            code = kill(process, whom, draw)
            kills[whom] += 1
        now = world.finished()
        assert {path: now.get(path) for path in before} == before, "a record was written again"
        if code == 0:
            return
    raise AssertionError(f"{command} does not end: {world.text()[-3000:]}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_sweeps_end_as_undisturbed_ones(kind, new_world, pretrained_folder):
    draw = random.Random(kind)
    commands = KINDS[kind]
    if kind == "contextual":
        commands = [[*each, f"embeddings.model={pretrained_folder()}"] for each in commands]
    undisturbed = new_world()
    undisturbed.finish("mtl-bench", "--help")  # the server imports what it forks
    begin = time.monotonic()
    undisturbed.finish(*commands[-1], patch=many_parts)
    seconds = time.monotonic() - begin
    expected = undisturbed.outcome()
    kills, sweeps = collections.Counter(), 0
    while kills.total() < KILLS:
        world = new_world()
        for command in commands:
            disturbed(world, command, draw, seconds, kills, KILLS)
        world.check(expected, more_runs=kind == "tuning")
        sweeps += 1
    print(f"{kind}: {kills.total()} kills, {dict(kills)}; {sweeps} sweeps as undisturbed ones")
