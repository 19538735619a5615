"""A sweep that is killed again and again ends as one that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from mtl_bench.runs.sweep_folder import read_sweep
from tests.integration.test_sweeps import leftovers, records

REPOSITORY = Path(__file__).parents[2]
KILLS = 20
SMALL = [
    *("experiment=demo_sweep", "steps_per_task=1200", "model.hidden_size=20", "embeddings.dim=20"),
    *("callbacks.checkpoint_seconds=0.5", "trainer.val_check_interval=1000"),
]


def start(sweep_name):
    with Path(f"{sweep_name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(REPOSITORY / "train.py"), *SMALL, f"sweep_name={sweep_name}"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def middle(sweep):
    """Return the processes of runs between 5 and 95 % of their steps."""
    try:
        hearts = [
            run.heartbeat for run in read_sweep(sweep) if run.heartbeat and run.heartbeat.steps
        ]
    except Exception:
        return []  # the folder is not there yet, or is being written
    return [heart.pid for heart in hearts if 0.05 < heart.step / heart.steps < 0.95]


@pytest.mark.slow
def test_killed_twenty_times():
    draw = random.Random(7)
    sweep = Path("multirun_outputs/tortured")
    hits = kills = 0
    while kills < KILLS:
        process = start("tortured")
        end = time.monotonic() + draw.uniform(8, 22)
        next_worker = time.monotonic() + draw.uniform(4, 8)
        while process.poll() is None:
            time.sleep(0.05)
            pids = middle(sweep)
            if time.monotonic() > next_worker and pids:
                with suppress(ProcessLookupError):
                    os.kill(draw.choice(pids), signal.SIGKILL)  # a worker: its run only
                next_worker = time.monotonic() + draw.uniform(3, 8)
            if time.monotonic() > end and (pids or time.monotonic() > end + 20):
                hits += bool(pids)
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
                break
        else:
            break  # the sweep has ended
        process.wait()
    print(f"{kills} kills, {hits} of them in the middle of a run")
    for _ in range(5):  # runs whose worker was killed count as failed, and are left to the next
        process = start("tortured")
        if process.wait(timeout=1800) == 0:
            break
    assert process.returncode == 0, Path("tortured.log").read_text()[-3000:]
    undisturbed = start("undisturbed")
    assert undisturbed.wait(timeout=1800) == 0, Path("undisturbed.log").read_text()[-3000:]
    tortured = records(sweep)
    assert len(tortured) == 55
    assert tortured == records(Path("multirun_outputs/undisturbed"))
    assert leftovers(sweep) == []
    assert kills == KILLS
    assert hits >= 15
