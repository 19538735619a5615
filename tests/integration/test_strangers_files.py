"""Records, plans, result sets and predictors of strangers: read or refused, and nothing else."""

import json
import os
import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.commands.shared.tables import print_table
from mtl_bench.config.tasks import plain_task
from mtl_bench.errors import UserError, visible
from mtl_bench.runs.record import RECORD
from mtl_bench.runs.record_reading import read_record
from mtl_bench.runs.seal import sealed, unsealed
from mtl_bench.runs.sweep_folder import PLAN, read_plan
from mtl_bench.runs.train_command import train_command
from mtl_bench.tasks.fetch import Source, expected
from mtl_bench.text.hub import HUB_NAME
from tests.unit.runs.records import record

ESCAPE, BIDI = "\x1b[31m", "\u202e"


def content(folder):
    record().write(folder)
    return unsealed((folder / RECORD).read_text())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c["tasks"].update({"../x": c["tasks"].pop("t")}), "called '../x'"),
        (lambda c: c["tasks"].update({"a" * 300: c["tasks"].pop("t")}), "a task is called"),
        (lambda c: c["tasks"].update({"<b>": c["tasks"].pop("t")}), "a task is called"),
        (lambda c: c["tasks"]["t"].update(metrics={}), "the metrics of t"),
        (lambda c: c["tasks"]["t"].update(statistics=None), "damaged"),
        (lambda c: c["tasks"]["t"].update(statistics={"size": "many"}), "damaged"),
        (lambda c: c["tasks"]["t"]["metrics"]["f1"].update(title=3), "the metrics of t"),
        (lambda c: c.update(versions=None), "versions is None"),
        (lambda c: c.update(config=[1]), r"config is \[1\]"),
        (lambda c: c.update(budget=1e308), "budget is"),
        (lambda c: c.update(budget="nan"), "budget is"),
    ],
)
def test_a_record_is_checked(tmp_path, change, problem):
    changed = content(tmp_path)
    change(changed)
    (tmp_path / RECORD).write_text(sealed(changed))
    with pytest.raises(UserError, match=problem):
        read_record(tmp_path)


def test_json_without_end_is_damage(tmp_path):
    for name in (RECORD, PLAN):
        (tmp_path / name).write_text("[" * 100_000)
    with pytest.raises(UserError, match="is damaged"):
        read_record(tmp_path)
    assert read_plan(tmp_path) == []


def test_texts_of_a_record_cannot_steer_a_terminal(tmp_path, capsys):
    changed = content(tmp_path)
    changed["tasks"]["t"]["title"] = f"{ESCAPE}red {BIDI}"
    changed["tasks"]["t"]["metrics"]["f1"]["title"] = f"F1 {ESCAPE} [/y]"
    changed["error"] = {"type": "E", "message": f"a{ESCAPE}"}
    (tmp_path / RECORD).write_text(sealed(changed))
    shown = read_record(tmp_path)
    assert shown.tasks["t"].title == r"\x1b[31mred \u202e"
    assert shown.error.message == r"a\x1b[31m"
    print_table([{"a": f"{ESCAPE}{BIDI}\u2028\x9b|"}], "markdown")
    assert r"\x1b[31m\u202e\u2028\x9b" in capsys.readouterr().out
    assert ESCAPE not in str(UserError(f"no {ESCAPE}file"))


@given(st.text())
def test_visible_text_has_no_control_characters(text):
    shown = visible(text)
    assert all(c in "\t\n" or c.isprintable() or c.isspace() for c in shown if ord(c) < 0xA0)
    shown.encode("utf-8")
    if text.isascii() and text.isprintable():
        assert shown == text


@pytest.mark.parametrize(
    "folder",
    ["../x/seed0", "/tmp/x/seed0", "a/../../x", "a\0b", "a" * 5000, f"a{ESCAPE}", "\ud800"],
)
def test_a_plan_stays_in_its_folder(tmp_path, folder):
    run = {"folder": folder, "tasks": ["pos"], "seed": 0, "budgets": [10.0]}
    (tmp_path / PLAN).write_text(json.dumps([run]))
    assert read_plan(tmp_path) == []


@pytest.mark.parametrize("budget", [float("inf"), float("nan"), -1, 0, 1e300])
def test_the_budgets_of_a_plan_are_numbers_of_steps(tmp_path, budget):
    run = {"folder": "pos/seed0", "tasks": ["pos"], "seed": 0, "budgets": [budget]}
    (tmp_path / PLAN).write_text(json.dumps([run]))
    assert read_plan(tmp_path) == []


def test_a_command_to_paste_is_quoted(tmp_path):
    config = {"main": "$(touch ran)", "aux": ["chu", "; touch ran"], "seed": "`touch ran`"}
    config |= {"steps_per_task": "&& touch ran", "sweep_name": "x; touch ran #"}
    command = train_command({"config": config, "tasks": {}}, tmp_path)
    assert "sweep_name=x; touch ran #" in shlex.split(command)
    subprocess.run(["sh", "-c", command.replace("python", "true", 1)], cwd=tmp_path, check=False)
    assert not (tmp_path / "ran").exists()
    plain = {"main": "pos", "aux": ["chu"], "seed": 0, "steps_per_task": 5, "sweep_name": "s"}
    assert train_command({"config": plain, "tasks": {}}, tmp_path).startswith(
        "python train.py main=pos 'aux=[chu]' seed=0 steps_per_task=5 sweep_name=s"
    )


@pytest.mark.parametrize(
    "source",
    [
        {"path": "kernels/Linux-0.so"},
        {"path": "scores/x/output.pkl"},
        {"path": "../raw/x"},
        {"path": "raw/../kernels/x"},
        {"path": "raw/x", "members": "/etc/passwd"},
        {"path": "raw/x", "archive": "../../x"},
    ],
)
def test_sources_stay_in_the_folders_of_data(tmp_path, source):
    with pytest.raises(UserError, match=r"is not (below the data folder|in `raw/`)"):
        expected(Source(url="http://localhost/", **source), tmp_path)


@pytest.mark.parametrize("value", ["${oc.env:HOME}", "a ${oc.decode:x}", "[a, '${title}']"])
def test_a_task_cannot_read_the_environment(tmp_path, value):
    file = tmp_path / "x.yaml"
    file.write_text(f"title: x\nlicence: {value}\nreader: {{}}\nsplits: {{}}\n")
    with pytest.raises(UserError, match=r"has no interpolations"):
        plain_task(file)


def test_one_broken_task_hides_no_other(tmp_path):
    (tmp_path / "broken.yaml").write_text(
        "title: x\nreader: {_target_: evil.Reader}\nsplits: {train: {file: raw/x/a}, test: {file: raw/x/a}}\n"
        "sources: [{path: raw/x, url: http://localhost/, members: /etc/passwd}]\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "mtl_bench", "tasks", "--format", "json"],
        env=os.environ | {"MTL_BENCH_TASKS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    tasks = {row["task"]: row["data"] for row in json.loads(run.stdout)}
    assert tasks["broken"] == "broken"
    assert tasks["syn_pos"] == "generated"


@pytest.mark.parametrize(
    "name", ["a/b@../../x", "a/b@x/../../y", "../x", "a/..", "a/b@.x", "a/b\n"]
)
def test_a_model_of_the_hub_stays_in_its_folder(name):
    assert not HUB_NAME.fullmatch(name)
    assert HUB_NAME.fullmatch("owner/name@refs/pr/1")
