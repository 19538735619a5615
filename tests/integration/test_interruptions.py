"""Runs that are stopped in the middle resume, bit for bit."""

import signal
import time
from pathlib import Path

import pytest

from mtl_bench.runs.checkpoint_header import CheckpointHeader, read_header
from mtl_bench.runs.curve import read_curve
from mtl_bench.runs.record_reading import read_record
from tests.forked import Command

RUN = ["main=syn_pos", "aux=syn_key", "steps_per_task=150", "trainer.val_check_interval=70"]
QUIET = [*RUN, "callbacks.progress=false"]
FOLDER = Path("multirun_outputs/default/syn_key+syn_pos")


def checkpoint_step(path):
    header = read_header(path.parent)
    return header.step if header else 0


def stop_between(process, path, number, after):
    """Send a signal once the checkpoint is past a step."""
    limit = time.monotonic() + 120
    while checkpoint_step(path) <= after:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < limit, "no checkpoint appeared"
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


@pytest.fixture
def folder():
    return FOLDER / "trainer.val_check_interval=70/seed0"


def test_a_stopped_run_ends_as_an_undisturbed_one(folder, command):
    path = folder / "checkpoint.pt"
    often = [*QUIET, "callbacks.checkpoint_seconds=0"]

    code, err = stop_between(Command(*often), path, signal.SIGINT, after=0)
    assert code == 128 + signal.SIGINT, err
    assert "Traceback" not in err
    assert "re-run the command to resume" in err
    first = read_record(folder)
    assert first.status == "interrupted"
    assert 0 < first.steps_done == checkpoint_step(path) < 300
    assert read_curve(folder)

    code, _ = stop_between(Command(*often), path, signal.SIGKILL, after=first.steps_done)
    assert code == -signal.SIGKILL
    killed_at = checkpoint_step(path)
    assert first.steps_done < killed_at < 300

    code, err = stop_between(Command(*often), path, signal.SIGTERM, after=killed_at)
    assert code == 128 + signal.SIGTERM, err
    assert read_record(folder).status == "interrupted"

    code, _, err = command(*QUIET)
    assert code == 0, err
    resumed = read_record(folder)
    assert resumed.status == "finished"
    assert not path.exists()
    assert not [
        file for file in folder.iterdir() if file.name.startswith(".") and file.name != ".lock"
    ]

    code, _, err = command(*QUIET, "sweep_name=undisturbed")
    assert code == 0, err
    undisturbed = Path(str(folder).replace("default", "undisturbed"))
    assert read_curve(folder) == read_curve(undisturbed)
    assert resumed.weights_sha256 == read_record(undisturbed).weights_sha256
    assert resumed.run_key == read_record(undisturbed).run_key


def test_a_run_stopped_in_its_final_test_has_only_that_left(folder, command, monkeypatch):
    from mtl_bench.training.data import TaskDataModule

    def interrupt(self):
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(TaskDataModule, "test_dataloader", interrupt)
        code, _, err = command(*QUIET)
    assert code == 128 + signal.SIGINT, err
    assert checkpoint_step(folder / "checkpoint.pt") == 300
    monkeypatch.setattr(TaskDataModule, "train_dataloader", interrupt)  # nothing left to train
    code, _, err = command(*QUIET)
    assert code == 0, err
    assert read_record(folder).status == "finished"
    assert len([row for row in read_curve(folder) if row.split == "dev"]) == 2 * 2


@pytest.fixture
def interrupted(folder, command, monkeypatch):
    """A run that gets a signal while its last checkpoint is written."""
    from mtl_bench.training.callbacks.checkpoints import Checkpoints

    save = Checkpoints.save

    def save_interrupted(self, trainer, module):
        signal.raise_signal(signal.SIGTERM)
        save(self, trainer, module)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", save_interrupted)
        code, _, err = command(*QUIET)
    assert code == 128 + signal.SIGTERM, err
    return folder


def test_stopping_before_it_is_known_which_run_this_is_changes_no_record(
    interrupted, command, monkeypatch
):
    def stop(*_):
        signal.raise_signal(signal.SIGTERM)

    record = read_record(interrupted)
    monkeypatch.setattr("mtl_bench.training.run.checksums", stop)
    code, _, err = command(*QUIET)
    assert code == 128 + signal.SIGTERM, err
    assert read_record(interrupted) == record


def test_a_signal_while_the_last_checkpoint_is_written_stops_the_run(interrupted):
    assert checkpoint_step(interrupted / "checkpoint.pt") == 300
    assert read_record(interrupted).status == "interrupted"


def test_a_refusal_and_a_damaged_checkpoint_leave_the_earlier_record(interrupted, command):
    folder = interrupted
    record, curve = read_record(folder), (folder / "curve.csv").read_bytes()
    for _ in range(2):
        code, _, err = command(*RUN, "model.hidden_size=7", f'hydra.run.dir="{folder}"')
        assert code == 2 and "model.hidden_size" in err, err
    assert read_record(folder) == record
    path = folder / "checkpoint.pt"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    code, _, err = command(*QUIET)
    assert code == 2 and "checkpoint" in err
    after = read_record(folder)
    assert (after.steps_done, after.status) == (record.steps_done, "failed")
    assert (folder / "curve.csv").read_bytes() == curve


def test_a_damaged_checkpoint_is_named(folder, command):
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"half a check")
    code, _, err = command(*RUN)
    assert code == 2
    assert "the checkpoint cannot be read" in err
    assert "overwrite=true" in err
    code, _, err = command(*RUN, "overwrite=true", "callbacks.progress=false")
    assert code == 0, err
    (folder / "record.json").unlink()
    (folder / "checkpoint.pt").write_bytes(CheckpointHeader("other", 3).line())
    code, _, err = command(*RUN)
    assert code == 2
    assert "another configuration" in err


def test_a_run_in_use_is_left_alone(folder, command):
    from mtl_bench.runs.lock import RunningElsewhere, heartbeat, lock

    folder.mkdir(parents=True)
    with lock(folder):
        code, _, err = command(*RUN)
        assert code == 3
        assert "is working on this run" in err
        assert not (folder / "record.json").exists()
        assert command(*RUN, "dry_run=true")[0] == 0
        assert command(*RUN, "callbacks.checkpoint_seconds=-1")[0] == 2
        assert heartbeat(folder)
        with pytest.raises(RunningElsewhere), lock(folder):
            pass
