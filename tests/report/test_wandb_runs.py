"""A run in W&B: one run across interruptions, quiet, and with clear answers to settings."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.report.wandb_server import Server

pytestmark = pytest.mark.slow  # W&B's service for each test
TRAIN = [sys.executable, str(Path(__file__).parents[2] / "train.py")]
RUN = ["main=syn_pos", "steps_per_task=600", "callbacks.checkpoint_seconds=0", "logger=wandb"]


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    yield server
    server.shutdown()
    server.server_close()


def run_ids():
    return {re.sub(r".*-", "", path.name) for path in Path().rglob("wandb/*run-*")}


def interrupt(*arguments):
    """Start a run, stop it in the middle, and start it again; return what the second printed."""
    first = subprocess.Popen(
        [*TRAIN, *RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    checkpoint = Path("multirun_outputs/default/syn_pos/steps_per_task=600/seed0/checkpoint.pt")
    end = time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < end:
        time.sleep(0.05)
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=120)
    assert first.returncode == 128 + signal.SIGTERM
    assert (checkpoint.parent / "wandb_id.txt").exists()
    second = subprocess.run([*TRAIN, *RUN, *arguments], capture_output=True, text=True, timeout=300)
    assert second.returncode == 0, second.stderr
    assert not (checkpoint.parent / "wandb_id.txt").exists()
    return second


def test_offline_both_parts_of_a_run_have_one_name_and_sync_as_one(server, monkeypatch):
    second = interrupt()
    [run_id] = run_ids()
    parts = sorted(Path().rglob("wandb/offline-run-*"))
    assert len(parts) == 2
    lines = (second.stdout + second.stderr).splitlines()
    assert sum("wandb" in line.lower() for line in lines) <= 2, second.stderr
    assert any("`wandb sync` sends it" in line for line in lines)
    assert "F1=" in lines[-2] or "F1" in second.stdout.splitlines()[-2]
    sync = [sys.executable, "-m", "wandb", "sync", *map(str, parts)]
    subprocess.run(sync, check=True, capture_output=True, timeout=120, env=os.environ.copy())
    names = {v["name"] for query, v in server.asked if "upsertBucket" in query and v.get("name")}
    assert names == {run_id}


def test_online_a_run_is_resumed_under_its_name(server, monkeypatch):
    monkeypatch.delenv("WANDB_MODE")
    interrupt("logger.wandb.offline=false")
    [run_id] = run_ids()
    names = {v["name"] for query, v in server.asked if "upsertBucket" in query and v.get("name")}
    assert names == {run_id}
    resumed = [v for query, v in server.asked if "RunResumeStatus" in query]
    assert len(resumed) == 2
    assert run_id in json.dumps(resumed)


@pytest.mark.parametrize(
    ("mode", "arguments", "expected"),
    [
        ("online", ["logger.wandb.offline=true"], "offline is true, but WANDB_MODE is 'online'"),
        (
            "offline",
            ["logger.wandb.offline=false"],
            "offline is false, but WANDB_MODE is 'offline'",
        ),
        ("bogus", [], "WANDB_MODE is 'bogus'; it is one of offline, dryrun, online, run, disabled"),
        (None, ["logger.wandb.offline=false"], "Type `wandb login`, or set WANDB_API_KEY"),
    ],
)
def test_what_cannot_be_is_answered(mode, arguments, expected, monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # no key of whoever runs the tests
    monkeypatch.delenv("WANDB_MODE")
    if mode:
        monkeypatch.setenv("WANDB_MODE", mode)
    command = [*TRAIN, *RUN, "debug=quick", *arguments]
    end = subprocess.run(
        command, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL
    )
    assert end.returncode == 2, end.stderr
    assert expected in end.stderr
    assert "Traceback" not in end.stderr


def test_what_the_environment_says_is_respected(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    command = [*TRAIN, *RUN, "debug=quick"]
    end = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert end.returncode == 0, end.stderr
    assert "WANDB_MODE is disabled, so `logger.wandb` logs nothing" in end.stderr
    assert run_ids() == set()
