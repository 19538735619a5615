"""The pool of processes: whatever happens to a job, the others are done."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from mtl_bench.sweeps.workers import Workers


def job(order):
    """Do, or suffer, what a job is told."""
    kind, value = order
    if kind == "raise":
        raise ValueError(value)
    if kind == "exit":
        sys.exit(value)
    if kind == "os._exit":
        os._exit(value)
    if kind == "kill":
        os.kill(os.getpid(), value)
    if kind == "sleep":
        time.sleep(value)
    if kind == "once" and not os.path.exists(value):  # elsewhere at first
        open(value, "w").close()
        return "elsewhere"
    return "done"


def ends(orders, count=2):
    return [e for e in Workers(count, job).run(orders) if e.job is not None]


def test_every_job_is_done():
    orders = [("work", n) for n in range(20)]
    events = ends(orders)
    assert sorted(event.job for event in events) == orders
    assert {event.outcome for event in events} == {"done"}


@pytest.mark.parametrize(
    ("bad", "death"),
    [
        (("raise", "x"), "its process ended with exit code 1"),
        (("exit", 3), "its process ended with exit code 1"),
        (("os._exit", 7), "its process ended with exit code 7"),
        (("kill", signal.SIGKILL), "its process was killed by SIGKILL; the system does that when"),
        (("kill", signal.SIGSEGV), "its process was killed by SIGSEGV"),
    ],
)
def test_a_death_costs_one_job(bad, death):
    orders = [("work", 0), bad, ("work", 1), bad, ("work", 2)]
    events = ends(orders)
    assert sorted(map(str, orders)) == sorted(str(event.job) for event in events)
    for event in events:
        if event.job == bad:
            assert event.death.startswith(death)
        else:
            assert event.outcome == "done"


def test_a_job_that_another_sweep_works_on_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr("mtl_bench.sweeps.workers.ELSEWHERE_SECONDS", 0.2)
    events = ends([("once", str(tmp_path / "there")), ("work", 1)])
    assert [e.outcome for e in events if e.job[0] == "once"] == ["elsewhere", "done"]


SWEEP = """
    import sys, time, signal
    from mtl_bench.sweeps.workers import Workers, Stopped
    sys.path.insert(0, {folder!r})
    import slow
    if __name__ == "__main__":
        try:
            for event in Workers(2, slow.job).run([1, 2, 3, 4]):
                if event.running: print("running", flush=True)
                if event.outcome: print(event.outcome, flush=True)
        except Stopped as stop:
            print(stop, flush=True)
"""
SLOW = """
    import os, signal, time
    def job(order):
        stop = []
        signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
        open(f"{folder}/{{os.getpid()}}", "w").close()
        while not stop:
            time.sleep(0.05)
        if {stubborn}:
            time.sleep(60)
        open(f"{folder}/saved{{os.getpid()}}", "w").close()
        return "interrupted"
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stream:
        return stream.read().split(")")[1].split()[0] != "Z"


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.fixture
def sweep(tmp_path):
    """Start a sweep of slow jobs in a process group of its own."""
    started = []

    def start(stubborn=False):
        (tmp_path / "slow.py").write_text(
            textwrap.dedent(SLOW.format(folder=tmp_path, stubborn=stubborn))
        )
        (tmp_path / "sweep.py").write_text(textwrap.dedent(SWEEP.format(folder=str(tmp_path))))
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "sweep.py")],
            stdout=-1,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        workers = lambda: [int(f.name) for f in tmp_path.iterdir() if f.name.isdecimal()]  # noqa: E731
        assert wait_for(lambda: len(workers()) == 2)
        return process, workers()

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("to_group", [False, True])
def test_the_first_interrupt_saves(sweep, tmp_path, to_group):
    process, workers = sweep()
    (os.killpg if to_group else os.kill)(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert out.splitlines()[-1] == "interrupted by SIGINT"
    assert out.count("interrupted\n") == 2
    assert sorted(f.name for f in tmp_path.glob("saved*")) == sorted(f"saved{n}" for n in workers)


def test_the_second_interrupt_kills(sweep, tmp_path):
    process, workers = sweep(stubborn=True)
    os.kill(process.pid, signal.SIGINT)
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert wait_for(lambda: not any(map(alive, workers)))
    assert not list(tmp_path.glob("saved*"))


def test_workers_save_when_their_sweep_is_killed(sweep, tmp_path):
    process, workers = sweep()
    process.kill()
    assert wait_for(lambda: len(list(tmp_path.glob("saved*"))) == 2)
    assert wait_for(lambda: not any(map(alive, workers)))
