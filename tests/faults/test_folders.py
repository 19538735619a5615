"""Folders that cannot be written, clocks that are wrong, and hosts that share a folder."""

import contextlib
import ctypes
import json
import os
import platform
import random
import subprocess
import time
from functools import partial

import pytest

from mtl_bench.runs import lock
from mtl_bench.runs.record_reading import read_record
from tests.faults.worlds import PAIR, QUICK, SEARCH, SINGLE, SWEEP, number_of_faults

SHARED = number_of_faults(3, 25)
"""Sweeps of two hosts on one folder."""
SHORT, LONGER = [*PAIR, "steps_per_task=20"], [*PAIR, "steps_per_task=30"]
DEMO = "multirun_outputs/demo"
YEAR = 365 * 24 * 3600


def mount_read_only(place):
    """Make a folder read-only for this process and those that it starts."""
    new_mounts = 0x00020000
    if ctypes.CDLL(None, use_errno=True).unshare(new_mounts):
        raise OSError(ctypes.get_errno(), "unshare")
    for arguments in (["--make-rprivate", "/"], ["--bind", place, place]):
        subprocess.run(["mount", *arguments], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)


@contextlib.contextmanager
def read_only(place):
    """Yield what makes a folder read-only in a command; root needs a mount for it."""
    if not os.geteuid():
        mount = ["unshare", "-m", "mount", "--bind", place, place]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("root may write anywhere, and no folder can be mounted read-only")
        yield partial(mount_read_only, place)
        return
    subprocess.run(["chmod", "-R", "a-w", place], check=True)
    try:
        yield None
    finally:
        subprocess.run(["chmod", "-R", "u+w", place], check=True)


@pytest.mark.slow
def test_read_only_folders_are_named_and_what_only_reads_works(new_world):
    world = new_world()
    world.finish(*SHORT)
    expected = world.outcome()
    reading = [SHORT, ["mtl-bench", "status", DEMO], ["mtl-bench", "gains", DEMO]]
    writing = [LONGER, [*SINGLE, "steps_per_task=30"], [*SHORT, "sweep_name=new"], SEARCH]
    writing += [["mtl-bench", "report", DEMO]]
    for place, name, commands in (
        (world.outputs, "multirun_outputs", reading + writing),
        (world.cache, "cache", [*reading, ["main=chu", *QUICK, "steps_per_task=5"]]),
    ):
        with read_only(place) as patch:
            for command in commands:
                log = world.folder.with_name("one.log")
                log.unlink(missing_ok=True)
                code = world.run(*command, patch=patch, log=log)
                text = log.read_text()
                assert "Traceback" not in text, text
                assert code in ((0,) if command in reading else (1, 2)), (command, code, text)
                assert code == 0 or name in text.splitlines()[-1] + text.splitlines()[-2], text
        assert world.outcome() == expected
    world.finish(*LONGER)


def jump():
    """Let the time of each process jump back and forth, by hours and by decades."""
    real, draw = time.time, random.Random(os.getpid())
    time.time = lambda: real() + draw.choice([-1e9, -3600, 0, 3600, 1e9])


@pytest.mark.slow
def test_wrong_clocks_and_file_times_train_nothing_twice(new_world):
    undisturbed = new_world()
    undisturbed.finish(*LONGER)
    for patch, stamp in ((jump, None), (None, 0), (None, 4102444800), (jump, 4102444800)):
        world = new_world()
        before = None
        for number, command in enumerate((SHORT, SHORT, LONGER, LONGER)):
            world.finish(*command, patch=patch)
            inodes = {path: inode for path, (inode, _) in world.finished().items()}
            assert (inodes == before) == (number in (1, 3))
            before = inodes
            for path in world.folder.rglob("*") if stamp is not None else ():
                os.utime(path, (stamp, stamp), follow_symlinks=False)
        world.check(undisturbed.outcome())


@pytest.mark.slow
def test_heartbeats_of_a_host_with_another_clock(new_world):
    world, code = new_world(), {}
    command = [*SINGLE, "steps_per_task=20"]
    world.finish(*command)
    [folder] = world.outputs.rglob("seed0")
    for shift in (-time.time(), -YEAR, -130, 0, 600, YEAR):
        beat = {"host": "elsewhere", "pid": 1, "step": 3, "steps": 9}
        (folder / lock.HEARTBEAT).write_text(json.dumps(beat))
        os.utime(folder / lock.HEARTBEAT, (time.time() + shift, time.time() + shift))
        code[shift] = world.run(*command, "overwrite=true")
    assert code == {shift: 3 if shift == 0 else 0 for shift in code}, world.text()[-3000:]


def on_host(name):
    """Be a host whose locks do not reach others, as on some shared folders."""
    platform.node = lambda: name
    lock.LOCK = f".lock.{name}"


@pytest.mark.slow
def test_two_hosts_on_one_folder(new_world):
    draw, command = random.Random(0), [*SWEEP, "steps_per_task=50", "hydra.launcher.processes=1"]
    undisturbed = new_world()
    undisturbed.finish(*command)
    both = 0
    for _ in range(SHARED):
        world, hosts = new_world(), {}
        for name in ("alpha", "beta"):
            log = world.folder.with_suffix(f".{name}")
            hosts[log] = world.start(*command, patch=partial(on_host, name), log=log)
            time.sleep(draw.uniform(0, 1))
        for log, process in hosts.items():
            process.join(300)
            assert process.exitcode == 0, log.read_text()[-3000:]
            assert "Traceback" not in log.read_text()
        world.check(undisturbed.outcome())
        both += len({read_record(path.parent).host["name"] for path in world.finished()}) > 1
    print(f"{SHARED} sweeps of two hosts as undisturbed ones; both trained in {both} of them")
