"""`mtl-bench results`: listed, exported, made; and named wherever a sweep is."""

from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

import mtl_bench
from mtl_bench.__main__ import main as bench
from mtl_bench.runs.result_sets import packaged
from tests.unit.analysis.sweeps import write_sweep

MAKE = ["--title", "toys", "--licence", "CC0-1.0"]


@pytest.fixture
def made(tmp_path, capsys):
    """A result set of a toy sweep."""
    write_sweep(tmp_path / "toy")
    assert bench(["results", "make", "toy", "--out", "deep/toys.tar.xz", *MAKE]) == 0
    assert "written: deep/toys.tar.xz, " in capsys.readouterr().out
    return "deep/toys.tar.xz"


def test_those_of_the_package_are_listed(capsys):
    assert bench(["results", "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert all(f'"{name}"' in out for name in ("published", *packaged()))
    assert bench(["results"]) == 0
    assert "mtl-bench gains <name>" in capsys.readouterr().out


def test_a_made_one_says_what_the_sweep_says(made, capsys):
    outputs = []
    for name in ("toy", made):
        assert bench(["gains", name, "--format", "csv"]) == 0
        outputs.append(capsys.readouterr().out)
    first, second = (pd.read_csv(StringIO(out)) for out in outputs)
    exact = ["main", "aux", "single", "pair", "points", "gain_percent"]
    pd.testing.assert_frame_equal(first[exact], second[exact])
    # Curves keep eight digits.
    assert second["late_percent"].tolist() == pytest.approx(
        first["late_percent"].tolist(), rel=1e-5
    )
    assert bench(["recommend", made]) == 0


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_are_exported(made, kind, capsys):
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    assert bench(["results", "export", made, "--out", "tables", "--as", kind]) == 0
    read = pd.read_csv if kind == "csv" else pd.read_parquet
    frames = {file.stem: read(file) for file in Path("tables").iterdir()}
    assert frames.keys() == {"runs", "tasks", "gains", "curves"}
    assert set(frames["runs"]["state"]) == {"finished"}
    assert frames["runs"]["train_seconds"].sum() == len(frames["runs"])
    assert bench(["results", "export", "published", "--out", "paper"]) == 0
    assert len(pd.read_csv("paper/gains.csv")) == 90


def test_nothing_is_written_into_one(made, capsys):
    for command in ("study", "report"):
        assert bench([command, made]) == 2
        assert "is a result set, in which nothing is written" in capsys.readouterr().err
    assert bench(["report", made, "--out", "page", "draws=5", "pair_runs=2", "runs=5"]) == 0
    assert Path("page/report/index.html").is_file()
    [study] = mtl_bench.study(made, "draws=5", "pair_runs=2", "runs=5")
    assert study.measurements.source == "toys"
    assert Path("toys/study/study.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["make", "toy", "--out", "x.zip", *MAKE], "name a file that ends with .tar.xz"),
        (["make", "nowhere", "--out", "x.tar.xz", *MAKE], "nowhere: there is no such folder"),
        (["export", "nowhere", "--out", "x"], "nowhere: there is no such folder"),
        (["--format", "json", "export", "published", "--out", "x"], "--format is that of the list"),
    ],
)
def test_mistakes_are_answered(arguments, message, capsys):
    assert bench(["results", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not Path("x").exists()


def test_a_folder_without_runs_does_not_hide_one_of_the_package(capsys):
    name = next(iter(packaged()))
    Path(name).mkdir()
    assert bench(["status", name]) == 0
