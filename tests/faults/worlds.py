"""Folders in which commands are disturbed: started within milliseconds, killed, compared.

A server that has imported everything forks a process for each command: see `tests.forked`.
"""

import contextlib
import json
import os
import signal
import time
from multiprocessing import get_context
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.runs.record_reading import read_record
from tests import forked
from tests.integration.test_sweeps import leftovers, records

PRELOAD = ["tests.faults.worlds", *forked.PRELOAD]
TINY = ["experiment=demo", "model.hidden_size=10", "embeddings.dim=10"]
QUICK = [*TINY, "trainer.val_check_interval=10", "~hydra.callbacks.study"]
PAIR = ["-m", "main=syn_pos", "aux=syn_pos,syn_chu", *QUICK]
SWEEP = ["-m", "main=syn_pos,syn_chu", "aux=syn_pos,syn_chu,syn_mwe", *QUICK]
SINGLE = ["main=syn_pos", "aux=syn_chu", *QUICK[:-1], "callbacks.progress=false"]
SEARCH = ["-m", "experiment=demo_recommend", "main=syn_pos", "aux=[syn_chu,syn_mwe,syn_key]"]
SEARCH += ["budget=0.6", "max_seeds=2", "steps_per_task=60", *TINY[1:], QUICK[-1]]
TUNING = ["-m", "hydra/sweeper=tune", "main=syn_pos", "aux=syn_chu", *QUICK, "steps_per_task=40"]
TUNING += ["trials=3", "rungs=[0.5,1]", "sampler=weighted", "sampler.weights={main: 0.5}", "seed=0"]
SECONDS = 300
"""For a command that nobody disturbs; whoever waits longer has found one that hangs."""


def number_of_faults(few, many):
    """Return how many faults a test makes: few, or many where MTL_BENCH_FAULTS is `full`."""
    return many if os.environ.get("MTL_BENCH_FAULTS") == "full" else few


class World:
    """A folder with outputs and a cache of its own; logs of commands stand beside it."""

    def __init__(self, folder, kernels):
        self.folder, self.cache = folder, folder / "cache"
        self.outputs, self.log = folder / "multirun_outputs", folder.with_suffix(".log")
        self.cache.mkdir(parents=True)
        (self.cache / "kernels").symlink_to(kernels)

    def start(self, *arguments, patch=None, log=None):
        """Start a command in a session of its own; `patch` is called in it first."""
        place = self.folder, log or self.log
        process = get_context("forkserver").Process(target=_run, args=(arguments, *place, patch))
        process.start()
        return process

    def run(self, *arguments, **options):
        """Return the exit code of a command, negative after a signal."""
        process = self.start(*arguments, **options)
        process.join(SECONDS)
        if process.exitcode is None:
            os.killpg(process.pid, signal.SIGKILL)
            raise TimeoutError(f"{arguments} has not ended after {SECONDS} s; {self.log}")
        return process.exitcode

    def finish(self, *arguments, **options):
        """Run a command that has to succeed."""
        code = self.run(*arguments, **options)
        assert code == 0, f"exit code {code}, {self.log}: {self.text()[-3000:]}"

    def text(self):
        """Return what commands and runs printed."""
        logs = [self.log, *self.folder.rglob("seed*/log.txt")]
        return "".join(log.read_text(errors="replace") for log in logs if log.exists())

    def outcome(self):
        """Return all that must be equal: runs, curves, searches, tunings, states."""
        found = {}
        for sweep in sorted(self.outputs.iterdir()):
            found |= records(sweep)
            for file in [*sweep.glob("recommend/*.json"), *sweep.glob("t*.json")]:
                found[file.name] = json.loads(file.read_text(), object_hook=_without_times)
        states = self.cache.glob("states/*/states.npy")
        return found | {file.parent.name: file.read_bytes() for file in states}

    def finished(self, budget=0):
        """Return inode and time of the records of runs that are finished to a budget."""
        found = {}
        for path in self.outputs.rglob("record.json"):
            with contextlib.suppress(UserError):
                record = read_record(path.parent)
                if record and record.status == "finished" and record.budget >= budget:
                    found[path] = path.stat().st_ino, path.stat().st_mtime_ns
        return found

    def check(self, expected, more_runs=False):
        """Demand an undisturbed outcome, and nothing beside it but what a killed trial led to."""
        outcome = self.outcome()
        assert {key for key in expected if outcome.get(key) != expected[key]} == set(), self.log
        assert more_runs or not outcome.keys() - expected.keys(), self.log
        assert "Traceback" not in self.text(), self.log
        hidden = leftovers(self.outputs) + leftovers(self.cache / "states")
        # Killed in the instant after its record, a run leaves a heartbeat that nobody counts.
        assert [each for each in hidden if ".lock." not in each and "heartbeat" not in each] == []


def _without_times(content):
    """Leave out how long things took, and in how many rounds: a run that is killed takes two."""
    if rounds := content.get("rounds"):
        runs = sorted(run for each in rounds for run in each["trained"])
        content["rounds"] = [runs, rounds[-1]["choice"], rounds[-1]["regret"]]
    return {k: v for k, v in content.items() if k not in ("arguments", "seconds", "sha256")}


def _run(arguments, folder, log, patch):
    """Run a command of a world."""

    def prepare():
        os.environ["MTL_BENCH_CACHE"] = str(folder / "cache")
        if patch:
            patch()
        print(f"\n=== {' '.join(arguments)}", flush=True)

    forked.run(arguments, folder, log, log, prepare)


def members(session):
    """Return the living processes of a session, each with its parent."""
    found = {}
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if place.name.isdigit():
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    found[int(place.name)] = int(fields[1])
    return found


def kill(process, whom, draw):
    """Kill processes of a command's session; return its exit code once all of them are gone."""
    main = process.pid
    parents = members(main)
    workers = [pid for pid, parent in parents.items() if parent != main and parent in parents]
    pids = {
        "main": [main],
        "group": list(parents),
        "workers": workers,
        "worker": draw.sample(workers, min(1, len(workers))),
    }[whom]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.join(SECONDS)
    end = time.monotonic() + 40
    while (left := members(main)) and time.monotonic() < end:
        time.sleep(0.01)
    assert not left, f"{whom} was killed, and processes {left} live on"
    return process.exitcode
