"""`mtl-bench estimate`: from tasks to ranks, a file, and scores by gains."""

import csv
import json
from pathlib import Path

import pytest

from mtl_bench.__main__ import main as bench
from mtl_bench.config.tasks import options
from tests.unit.analysis.sweeps import write_run

TASKS = ["main=syn_pos", "aux=[syn_key,syn_chu]", "steps_per_task=4"]


def test_ranks_a_file_and_scores(tmp_path, capsys):
    file = str(tmp_path / "deep" / "estimates.csv")
    assert bench(["estimate", *TASKS, "--out", file]) == 0
    text = capsys.readouterr().out
    assert "Ranks of the auxiliaries of syn_pos" in text
    with Path(file).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = options("estimator")
    assert len(rows) == 6 * len(names)
    assert {row["estimator"] for row in rows} == set(names)
    sweep = tmp_path / "sweep"
    finals = {"syn_chu": 0.5, "syn_key": 0.6, "syn_pos": 0.7}
    for task, final in finals.items():
        write_run(sweep, [task], {task: final})
    for n, pair in enumerate(
        (["syn_chu", "syn_key"], ["syn_chu", "syn_pos"], ["syn_key", "syn_pos"])
    ):
        write_run(sweep, pair, {task: finals[task] + 0.01 * (n + k) for k, task in enumerate(pair)})
    assert bench(["estimate", "--read", file, "--gains", str(sweep), "--format", "json"]) == 0
    text = capsys.readouterr().out
    for name in (*names, "record elsewhere", "early gains, 10 %"):
        assert f'"{name}"' in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give tasks, such as main=mwe"),
        (["main=syn_pos"], "at least two tasks"),
        (["main=syn_pos", "aux=syn_key", "trainer.precision=64-true"], "trainer.precision=32-true"),
        ([*TASKS, "--gains", "nowhere"], "nowhere"),
        ([*TASKS, "--out", "."], "is a folder"),
        (["--read", "."], "is a folder"),
        ([*TASKS, "--only", "logm"], "there is no 'logm'. Did you mean logme?"),
        (["--read", "absent.csv"], "absent.csv"),
        ([*TASKS, "--read", "x.csv"], "or `--read <file>`"),
        (["main=sy_pos", "aux=syn_key"], "sy_pos"),
    ],
)
def test_mistakes_are_answered(arguments, message, capsys):
    assert bench(["estimate", *arguments]) == 2
    assert message in capsys.readouterr().err


HEADER = "estimator,main,aux,score,steps,seconds\n"


def test_estimators_of_different_pairs_are_one_table(tmp_path, capsys):
    file = tmp_path / "joined.csv"
    file.write_text(HEADER + "size,a,s,1,0,0\nsize,a,c,2,0,0\nvocabulary,b,c,3,0,0\n")
    assert bench(["estimate", "--read", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Ranks of the auxiliaries of a" in out and "Ranks of the auxiliaries of b" in out


@pytest.mark.parametrize(
    "content",
    [
        "",
        "a,b\n1,2\n",
        HEADER,
        HEADER + "size,a,b,high,1,1\n",
        HEADER + "size,a,b,1,,1\n",
        "\0\xff",
    ],
)
def test_a_file_of_something_else_is_named(content, tmp_path, capsys):
    file = tmp_path / "other.csv"
    file.write_text(content, "latin-1")
    assert bench(["estimate", "--read", str(file)]) == 2
    assert f"{file}: holds no estimates" in capsys.readouterr().err


def test_what_programs_read_is_one_list(tmp_path, capsys):
    file = str(tmp_path / "estimates.csv")
    assert bench(["estimate", *TASKS, "--only", "size,vocabulary", "--out", file]) == 0
    capsys.readouterr()
    assert bench(["estimate", "--read", file, "--only", "size", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 6
    assert {row["estimator"] for row in rows} == {"size"}
    assert all(isinstance(row["score"], float) for row in rows)
    assert bench(["estimate", "--read", file, "--only", "logme"]) == 2
    assert "has no 'logme', but size, vocabulary" in capsys.readouterr().err


def test_several_variants_are_not_mixed(tmp_path, capsys):
    file = str(tmp_path / "estimates.csv")
    assert bench(["estimate", *TASKS, "--only", "size", "--out", file]) == 0
    for variant in ("lr=1", "lr=2"):
        write_run(tmp_path / "sweep", ["syn_pos"], {"syn_pos": 0.5}, variant=variant)
    assert bench(["estimate", "--read", file, "--gains", str(tmp_path / "sweep")]) == 2
    assert "has runs of several variants: lr=1, lr=2" in capsys.readouterr().err


def test_gains_of_other_tasks_are_refused(tmp_path, capsys):
    file = str(tmp_path / "estimates.csv")
    assert bench(["estimate", *TASKS, "--only", "size", "--out", file]) == 0
    assert bench(["estimate", "--read", file, "--gains", "published"]) == 2
    assert "published: has no main task with gains from two of the tasks" in capsys.readouterr().err


def test_what_cannot_be_scored_or_written_is_told_before_anything_is_trained(
    tmp_path, monkeypatch, capsys
):
    def fail(*_):
        raise AssertionError("pilots were trained")

    monkeypatch.setattr("mtl_bench.estimators.pilots.pilots.Pilots.__init__", fail)
    assert bench(["estimate", *TASKS, "--gains", "contextual"]) == 2
    assert "has no main task with gains from two of the tasks" in capsys.readouterr().err
    file = tmp_path / "file"
    file.touch()
    assert bench(["estimate", *TASKS, "--out", str(file / "estimates.csv")]) == 2
    assert str(file) in capsys.readouterr().err
