"""Records and curves: what is written is read, and damage is seen."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.curve import CURVE, CurveRow, read_curve
from mtl_bench.runs.lock import RunningElsewhere, lock
from mtl_bench.runs.record import RECORD, Record, TaskRecord, read_record

NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def record(**changes):
    task = TaskRecord(
        "t", "f", {"size": 1.0, "jsd": None}, {"train": 1}, "O", None, "test", {"f1": 0.5}
    )
    fields = {
        "status": "finished", "tasks": {"t": task}, "seed": 0, "config": {"a": [1]},
        "config_hash": "h", "identity": {}, "steps_planned": 1, "steps_done": 1,
        "versions": {}, "git_commit": None, "threads": 1, "host": {}, "timings": {}, "vectors": {},
    }  # fmt: skip
    return Record(**{**fields, **changes})


ROWS = [CurveRow(10, 10, "t", "train", 1 / 3), CurveRow(10, 10, "t", "dev", 0.1, f1=0.7)]


def test_what_is_written_is_read(tmp_path):
    record().write(tmp_path, ROWS)
    assert read_record(tmp_path) == record()
    assert read_curve(tmp_path) == ROWS
    assert sorted(file.name for file in tmp_path.iterdir()) == [CURVE, RECORD]


@given(NUMBER, st.none() | NUMBER, st.text(max_size=5))
def test_a_row_keeps_every_bit(loss, f1, task):
    row = CurveRow(1, 2, task, "dev", loss, f1=f1)
    assert CurveRow.from_cells(row.cells()) == row


def test_a_folder_without_a_record_has_none(tmp_path):
    assert read_record(tmp_path) is None
    with pytest.raises(UserError, match="is missing"):
        read_curve(tmp_path)


@pytest.mark.parametrize("keep", [0, 1, 50, 300])
def test_a_truncated_record_is_damaged(tmp_path, keep):
    record().write(tmp_path, ROWS)
    content = (tmp_path / RECORD).read_bytes()
    (tmp_path / RECORD).write_bytes(content[:keep])
    with pytest.raises(UserError, match="is damaged"):
        read_record(tmp_path)


def test_another_schema_is_refused(tmp_path):
    record().write(tmp_path, ROWS)
    content = json.loads((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps(content | {"schema_version": 99}))
    with pytest.raises(UserError, match="has schema version 99"):
        read_record(tmp_path)


def test_a_truncated_curve_names_the_line(tmp_path):
    record().write(tmp_path, ROWS)
    content = (tmp_path / CURVE).read_text()
    (tmp_path / CURVE).write_text(content[: content.rindex(",t,")])
    with pytest.raises(UserError, match="line 3: is damaged"):
        read_curve(tmp_path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    write_atomically(tmp_path / "x", b"old")

    def fail(stream):
        stream.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "x", fail)
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_a_lock_is_held_by_one_and_freed(tmp_path):
    with lock(tmp_path), pytest.raises(RunningElsewhere), lock(tmp_path):
        pass
    with lock(tmp_path):
        pass
    assert not list(tmp_path.iterdir())
