"""A yaml of a stranger runs no code: what it names has to be of the package, or trusted by name."""

import subprocess
import sys

import pytest

from mtl_bench.config.mistakes.options import check_group
from mtl_bench.config.tasks import make_reader, make_type, plain_task
from mtl_bench.errors import UserError
from mtl_bench.trust import VARIABLE, make

EVIL = "from pathlib import Path\nPath('{}').touch()\nclass Reader:\n    def __call__(self, *_): return []\n"
SPLITS = "splits: {train: {}, test: {}}\n"
COLUMNS = "mtl_bench.tasks.readers.columns.ColumnReader"
CODE = [
    "reader: {_target_: evil.Reader}\n",
    "reader: {_target_: os.system, command: touch ran}\n",
    "reader: {_target_: builtins.open, file: ran, mode: w}\n",
    f"reader: {{_target_: {COLUMNS}, word: 1, label: {{_target_: os.system, command: touch ran}}}}\n",
    f"reader: {{_target_: {COLUMNS}, word: 1, label: [{{_target_: os.mkdir, path: ran}}]}}\n",
    "reader: {_target_: mtl_bench.files.os.system, command: touch ran}\n",
    "reader: {_target_: mtl_bench.files.write_atomically, path: ran, content: x}\n",
    "reader: {_target_: mtl_bench.tasks.readers.files.Path.touch, self: ran}\n",
    "reader: {_target_: '${oc.env:EVIL_TARGET}'}\n",
    f"type: {{name: tagging, head: evil.Reader}}\nreader: {{_target_: {COLUMNS}, word: 1, label: 2}}\n",
    f"type: {{_target_: evil.Reader, head: evil.Head}}\nreader: {{_target_: {COLUMNS}, word: 1, label: 2}}\n",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of tasks, beside a module that leaves a file `ran` when it is imported."""
    (tmp_path / "evil.py").write_text(EVIL.format(tmp_path / "ran"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MTL_BENCH_TASKS", str(tmp_path / "tasks"))
    monkeypatch.setenv("EVIL_TARGET", "evil.Reader")
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "tasks").mkdir()
    yield tmp_path
    sys.modules.pop("evil", None)


@pytest.mark.parametrize("code", CODE)
def test_a_task_of_a_stranger_is_refused_and_runs_nothing(folder, code):
    (folder / "tasks" / "foreign.yaml").write_text("title: foreign\n" + code + SPLITS)
    refused = r"export MTL_BENCH_TRUST=|cannot be (made|imported)|has no interpolations"
    with pytest.raises(UserError, match=refused):
        task = plain_task("foreign")
        make_type("foreign", task)
        make_reader("foreign", task)
    assert not (folder / "ran").exists()


def test_commands_that_look_at_all_tasks_run_nothing(folder):
    for number, code in enumerate(CODE):
        (folder / "tasks" / f"foreign{number}.yaml").write_text("title: foreign\n" + code + SPLITS)
    for arguments in (["tasks"], ["status", "x"]):
        subprocess.run([sys.executable, "-m", "mtl_bench", *arguments], check=False)
    run = subprocess.run(
        [sys.executable, "-m", "mtl_bench", "train", "main=foreign0", "debug=quick"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "export MTL_BENCH_TRUST=evil" in run.stderr
    assert not (folder / "ran").exists()


def test_a_module_that_is_trusted_by_name_is_used(folder, monkeypatch):
    (folder / "tasks" / "own.yaml").write_text("title: own\n" + CODE[0] + SPLITS)
    monkeypatch.setenv(VARIABLE, "other, evil")
    assert make_reader("own", plain_task("own"))() == []
    assert (folder / "ran").exists()


def test_trust_in_a_module_is_no_trust_in_one_of_a_similar_name(folder, monkeypatch):
    (folder / "tasks" / "own.yaml").write_text("title: own\n" + CODE[0] + SPLITS)
    monkeypatch.setenv(VARIABLE, "evi,evil.Reader.x")
    with pytest.raises(UserError, match=r"export MTL_BENCH_TRUST=evi,evil\.Reader\.x,evil"):
        make_reader("own", plain_task("own"))


@pytest.mark.parametrize("group", ["embeddings", "encoder", "sampler", "optimizer", "policy"])
def test_groups_name_no_code_of_others(folder, group):
    with pytest.raises(UserError, match=f"{group}._target_ is 'evil.Reader'"):
        check_group(group, {"_target_": "evil.Reader"})
    with pytest.raises(UserError, match=f"{group}._target_ is 'evil.Reader'"):
        make({"_target_": "evil.Reader"}, f"{group}._target_")
    assert not (folder / "ran").exists()
