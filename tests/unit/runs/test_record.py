"""Records and curves: what is written is read, and damage is seen."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.curve import CURVE, CurveRow, read_curve, write_curve
from mtl_bench.runs.lock import RunningElsewhere, lock
from mtl_bench.runs.record import RECORD
from mtl_bench.runs.record_reading import read_record
from mtl_bench.runs.seal import sealed, unsealed
from mtl_bench.runs.train_command import train_command
from tests.unit.runs.records import record

NUMBER = st.floats(allow_nan=False, allow_infinity=False)


ROWS = [
    CurveRow(10, 10, "t", "train", {"loss": 1 / 3}),
    CurveRow(10, 10, "t", "dev", {"loss": 0.1, "f1": 0.7}),
]


def test_what_is_written_is_read(tmp_path):
    written = record()
    written.write(tmp_path, ROWS)
    assert read_record(tmp_path) == written
    assert written.curve_sha256
    assert read_curve(tmp_path) == ROWS
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cache", CURVE, RECORD]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_numbers_when_read(tmp_path, number):
    written = record()
    for task in written.tasks.values():
        task.final = dict.fromkeys(task.final, number)
        task.statistics = dict.fromkeys(task.statistics, number)
    written.write(tmp_path, ROWS)
    for task in read_record(tmp_path).tasks.values():
        for value in (*task.final.values(), *task.statistics.values()):
            assert repr(value) == repr(number)


@given(
    st.lists(
        st.tuples(
            NUMBER,
            st.none() | NUMBER,
            st.text(st.characters(exclude_categories=("C",)), max_size=5),
        ),
        max_size=4,
    )
)
def test_a_curve_keeps_every_bit(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("curve")
    curve = [
        CurveRow(n, n, task, "dev", {"loss": loss} | ({} if mae is None else {"mae": mae}))
        for n, (loss, mae, task) in enumerate(rows)
    ]
    write_curve(folder, curve)
    assert read_curve(folder) == curve


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
    content = unsealed((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(sealed(content | {"schema_version": 99}))
    with pytest.raises(UserError, match="has schema version 99"):
        read_record(tmp_path)


def test_a_truncated_curve_names_the_line(tmp_path):
    record().write(tmp_path, ROWS)
    content = (tmp_path / CURVE).read_text()
    (tmp_path / CURVE).write_text(content[: content.rindex(",t,")])
    with pytest.raises(UserError, match="line 3: is damaged"):
        read_curve(tmp_path)


def test_a_record_of_the_first_edition_is_refused_with_the_command_that_trains_again(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = Path("multirun_outputs/mine/chu+pos/seed3")
    folder.mkdir(parents=True)
    config = {"main": "pos", "aux": {"chu": True}, "seed": 3, "sweep_name": "mine"} | {
        "steps_per_task": 70
    }
    old = {"schema_version": 1, "config": config, "tasks": {"chu": {}, "pos": {}}}
    (folder / RECORD).write_text(json.dumps(old))
    with pytest.raises(UserError, match="schema version 1; this program reads 2") as error:
        read_record(folder)
    command = "python train.py main=pos 'aux=[chu]' seed=3 steps_per_task=70 sweep_name=mine ... overwrite=true"
    assert str(error.value).endswith(command)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("optimizer.lr=0.5,optimizer=adam", "optimizer.lr=0.5 optimizer=adam"),
        ("main=pos,model.x=[1,2],sampler=weighted", "'model.x=[1,2]' sampler=weighted"),
        ("optimizer.note=a_b-0123abcd", "..."),  # what the folder's name cannot hold
        ("renamed", "..."),
    ],
)
def test_the_command_of_a_run_has_the_overrides_of_its_folder(tmp_path, variant, expected):
    content = {"config": {"main": "pos", "aux": {}, "seed": 0}, "tasks": {"pos": {}}}
    command = train_command(content, tmp_path / "pos" / variant / "seed0", "save_weights=true")
    assert command.endswith(f" {expected} save_weights=true")


@pytest.mark.parametrize(
    ("place", "experiment", "expected"),
    [
        ("multirun_outputs/contextual/mwe/seed0", "contextual", "experiment=contextual"),
        (
            "multirun_outputs/x/mwe/experiment=demo,seq=1/seed0",
            "demo",
            "experiment=demo seq=1",
        ),
        ("multirun_outputs/x/mwe/seed0", "", ""),
        ("elsewhere/x/mwe/seed0", "demo", "paths.output_dir=elsewhere experiment=demo"),
        ("multirun_outputs/x/mwe/seed0", None, "..."),
        ("multirun_outputs/x/mwe/seq=1/seed0", None, "... seq=1"),
        ("multirun_outputs/default/mwe/seq=1/seed0", None, "seq=1"),
        ("multirun_outputs/x/mwe/experiment=demo/seed0", None, "experiment=demo"),
        ("a(1)/x/mwe/seed0", "", "paths.output_dir=..."),
    ],
)
def test_the_command_of_a_run_names_its_experiment_and_its_place(place, experiment, expected):
    name = place.split("/")[1]
    config = {"main": "mwe", "aux": {}, "seed": 0, "steps_per_task": 5, "sweep_name": name}
    content = {"config": config, "tasks": {"mwe": {}}, "experiment": experiment}
    command = train_command(content, Path(place))
    begin = f"python train.py main=mwe 'aux=[]' seed=0 steps_per_task=5 sweep_name={name}"
    assert command == " ".join(filter(None, (begin, expected, "overwrite=true")))


def test_settings_are_read_by_their_keys():
    of = record(config={"data": {"drop_last": True}})
    assert of.setting("data.drop_last") is True
    assert of.setting("data.other") is None
    assert of.setting("seed.x") is None


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    write_atomically(tmp_path / "x", b"old")

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left on device") as error:
        write_atomically(tmp_path / "x", b"new")
    assert error.value.filename == str(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cache", "x"]


def test_a_lock_is_held_by_one_and_freed(tmp_path):
    with lock(tmp_path), pytest.raises(RunningElsewhere), lock(tmp_path):
        pass
    with lock(tmp_path):
        pass
    assert sorted(file.name for file in tmp_path.iterdir()) == [".lock", "cache"]
