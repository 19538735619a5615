"""One byte of a file changes: the file is refused by name, or says what it said before."""

import random
from pathlib import Path

import pytest

from mtl_bench.analysis.recommend.history import History, history_file, read_history
from mtl_bench.errors import UserError
from mtl_bench.runs.checkpoint_header import CHECKPOINT
from mtl_bench.runs.curve import CURVE
from mtl_bench.runs.record import RECORD
from mtl_bench.runs.record_reading import curve_of, read_record
from mtl_bench.training.callbacks.checkpoints import Checkpoints
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.callbacks.kept import KeptWeights
from tests.conftest import REPOSITORY

FOLDER = Path("multirun_outputs/default/syn_key+syn_pos/seed0")
RUN = ["main=syn_pos", "aux=syn_key", "callbacks.progress=false", "keep_checkpoint=true"]
SHORT = [*RUN, "steps_per_task=6"]


def damages(content, count, start=0):
    """Yield contents with one byte changed, or cut short; the places follow from a seed."""
    draw = random.Random(0)
    for number in range(count):
        place = draw.randrange(start, len(content))
        if number % 10 == 0:
            yield content[:place]
        else:
            changed = bytearray(content)
            changed[place] ^= 1 << draw.randrange(8)
            yield bytes(changed)


def checked(file, read, count, start=0):
    """Damage a file in many places; return how many damages were refused."""
    expected, content = read(), file.read_bytes()
    refused = 0
    for damaged in damages(content, count, start):
        file.write_bytes(damaged)
        try:
            assert read() == expected
        except UserError as error:
            assert str(file) in str(error)
            refused += 1
    file.write_bytes(content)
    return refused


def test_records_curves_and_checkpoints_say_that_they_are_damaged(command):
    assert command(*SHORT)[0] == 0
    record = read_record(FOLDER)
    assert checked(FOLDER / RECORD, lambda: read_record(FOLDER), 300) > 250
    assert checked(FOLDER / CURVE, lambda: curve_of(record, FOLDER), 300) == 300

    def read_checkpoint():
        curves = Curves("dev")
        kept = KeptWeights(curves, best=False)
        Checkpoints(FOLDER / CHECKPOINT, record.run_key, curves, kept, 60.0).read()
        return curves.rows

    assert checked(FOLDER / CHECKPOINT, read_checkpoint, 40, start=300) == 40


def test_a_longer_curve_than_the_record_counts_while_its_checkpoint_is_there(command):
    assert command(*SHORT)[0] == 0
    record, curve = (FOLDER / RECORD).read_bytes(), (FOLDER / CURVE).read_bytes()
    short = read_record(FOLDER)
    assert command(*RUN, "steps_per_task=8")[0] == 0
    longer = curve_of(read_record(FOLDER), FOLDER)
    (FOLDER / RECORD).write_bytes(record)  # as if it had been killed between the two
    assert curve_of(short, FOLDER) == longer
    (FOLDER / CHECKPOINT).unlink()
    with pytest.raises(UserError, match="not the curve of its record"):
        curve_of(short, FOLDER)
    (FOLDER / CURVE).write_bytes(curve)
    assert len(curve_of(short, FOLDER)) < len(longer)


def test_a_damaged_checkpoint_is_named_wherever_the_command_looks(command):
    assert command(*SHORT)[0] == 0
    content = (FOLDER / CHECKPOINT).read_bytes()
    place = len(content) // 2
    damaged = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    (FOLDER / CHECKPOINT).write_bytes(damaged)
    code, _, err = command(*RUN, "steps_per_task=8")
    assert code == 2
    assert f"{CHECKPOINT}: the checkpoint cannot be read" in err
    assert "overwrite=true" in err
    code, _, err = command("-m", *RUN, "steps_per_task=8", "~hydra.callbacks.study")
    assert code == 2
    assert f"{CHECKPOINT}: the checkpoint cannot be read" in err
    assert read_record(FOLDER).status == "finished"  # to the smaller budget, as before
    assert command(*RUN, "steps_per_task=8", "overwrite=true")[0] == 0


def test_the_history_of_a_search_says_that_it_is_damaged(tmp_path):
    history = History("chu", ["mwe", "pos"], 2000.0, [100, 200], "value")
    history.bought = {"chu+mwe/0": (0, 400)}
    history.write(tmp_path)
    file = history_file(tmp_path, "chu")
    assert checked(file, lambda: read_history(tmp_path, "chu"), 300) > 250


def test_records_of_the_version_before_are_read(tmp_path):
    """Schema 2, of version 0.1: without checksums."""
    written = (REPOSITORY / "tests/unit/runs/record_schema2.json").read_text()
    (tmp_path / RECORD).write_text(written)
    record = read_record(tmp_path)
    assert (record.status, record.main, record.curve_sha256) == ("finished", "mwe", None)
    assert record.tasks["mwe"].final["f1"] == pytest.approx(0.5, abs=0.3)
    record.write(tmp_path)
    assert read_record(tmp_path) == record
