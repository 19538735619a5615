"""A finished run is extended by asking for more, bit for bit what it would be if trained at once."""

import signal
from contextlib import chdir
from pathlib import Path

import pytest

from mtl_bench.runs.curve import read_curve
from mtl_bench.runs.record_reading import read_record
from tests.forked import Command, train
from tests.integration.test_interruptions import checkpoint_step, stop_between

PAIR = ["main=syn_pos", "aux=syn_key", "callbacks.progress=false"]
FOLDER = Path("multirun_outputs/default/syn_key+syn_pos/seed0")


def outcome(folder):
    """Return all that must be equal to the last bit."""
    record = read_record(folder)
    finals = {name: task.final for name, task in record.tasks.items()}
    return record.budget, record.steps_done, record.weights_sha256, finals, read_curve(folder)


@pytest.fixture(scope="module")
def at_once(tmp_path_factory):
    """The run that is trained to a budget of 90 at once; trained once for all tests."""
    folder = tmp_path_factory.mktemp("at_once")
    with chdir(folder):
        end = train(*PAIR, "steps_per_task=90")
    assert end.returncode == 0, end.stderr
    return outcome(folder / FOLDER)


@pytest.mark.parametrize("keep", ["true", "false"])
def test_an_extended_run_is_that_of_a_run_trained_as_long_at_once(command, at_once, keep):
    assert command(*PAIR, "steps_per_task=33", f"keep_checkpoint={keep}")[0] == 0
    assert (FOLDER / "checkpoint.pt").exists() == (keep == "true")
    short = read_record(FOLDER)
    assert (short.budget, short.steps_done) == (33, 66)
    code, _, err = command(*PAIR, "steps_per_task=90")
    assert code == 0, err
    assert outcome(FOLDER) == at_once
    code, out, _ = command(*PAIR, "steps_per_task=40")
    assert (code, "finished before" in out) == (0, True)
    assert outcome(FOLDER) == at_once


def test_an_extension_that_is_killed_keeps_what_was_finished(command, at_once):
    assert command(*PAIR, "steps_per_task=33", "keep_checkpoint=true")[0] == 0
    short = (FOLDER / "record.json").read_bytes(), (FOLDER / "curve.csv").read_bytes()
    path = FOLDER / "checkpoint.pt"
    reached = 66
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = Command(*PAIR, "steps_per_task=90", "callbacks.checkpoint_seconds=0")
        stop_between(process, path, number, after=reached)
        reached = checkpoint_step(path)
        assert 66 < reached < 180
        assert ((FOLDER / "record.json").read_bytes(), (FOLDER / "curve.csv").read_bytes()) == short
        code, out, _ = command(*PAIR, "steps_per_task=33")
        assert (code, "finished before" in out) == (0, True)
    code, _, err = command(*PAIR, "steps_per_task=90")
    assert code == 0, err
    assert outcome(FOLDER) == at_once


def test_overwriting_begins_at_the_start(command, monkeypatch):
    from mtl_bench.training.callbacks.checkpoints import Checkpoints

    assert command(*PAIR, "steps_per_task=20", "keep_checkpoint=true")[0] == 0

    def fail(_):
        raise AssertionError("the checkpoint was read")

    monkeypatch.setattr(Checkpoints, "read", fail)
    assert command(*PAIR, "steps_per_task=20", "overwrite=true")[0] == 0
    assert read_record(FOLDER).steps_done == 40


def test_an_extension_that_fails_is_noted_in_the_record_that_stands(command, monkeypatch):
    from mtl_bench.training.callbacks.curves import Curves

    assert command(*PAIR, "steps_per_task=20", "keep_checkpoint=true")[0] == 0

    def fail(*_, **__):
        raise FloatingPointError("diverged")

    with monkeypatch.context() as patch:
        patch.setattr(Curves, "on_train_batch_end", fail)
        assert command(*PAIR, "steps_per_task=40")[0] == 1
    record = read_record(FOLDER)
    assert (record.status, record.steps_done) == ("finished", 40)
    assert record.error.message == "diverged"
    assert command(*PAIR, "steps_per_task=40")[0] == 0
    record = read_record(FOLDER)
    assert (record.status, record.steps_done, record.error) == ("finished", 80, None)


def test_weights_are_those_of_the_budget_of_the_record(command):
    assert command(*PAIR, "steps_per_task=10")[0] == 0
    assert (FOLDER / "tagger").exists()
    assert command(*PAIR, "steps_per_task=20", "save_weights=false")[0] == 0
    assert not (FOLDER / "tagger").exists()  # else it would be taken for the longer run's
    code, out, _ = command(*PAIR, "steps_per_task=10", "save_weights=false")
    assert "finished before, to a budget of 20: its curve has 10" in out
    before = read_record(FOLDER)
    code, _, err = command(*PAIR, "steps_per_task=10", "save_weights=true")
    assert code == 0, err
    assert (FOLDER / "tagger").exists()
    after = read_record(FOLDER)
    assert (after.budget, after.weights_sha256) == (20, before.weights_sha256)
