"""Sweeps of more tasks than a matrix can show."""

import json
import random

import pytest

from mtl_bench.__main__ import main as bench
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import read_sweep
from tests.unit.analysis.sweeps import write_run

TASKS = [f"t{number:02}" for number in range(46)]


@pytest.fixture
def sweep(tmp_path):
    """One main task beside 45 auxiliaries."""
    draw = random.Random(0)
    folder = tmp_path / "many"
    for task in TASKS:
        write_run(folder, [task], {task: 0.5}, budget=20)
    for task in TASKS[1:]:
        write_run(folder, ["t00", task], {"t00": 0.5 + 0.1 * draw.random(), task: 0.5}, budget=20)
    return folder


def test_status_counts_the_runs_of_each_task(sweep, capsys):
    assert not bench(["status", str(sweep)])
    lines = capsys.readouterr().out.splitlines()
    assert next(line.split() for line in lines if line.startswith("t00")) == ["t00", "46"]
    assert next(line.split() for line in lines if line.startswith("t07")) == ["t07", "2"]
    assert not bench(["status", str(sweep), "--format", "json"])
    assert len(json.loads(capsys.readouterr().out)) == 91


def test_gains_of_some_main_tasks_read_their_runs_alone(sweep, capsys):
    tasks = {task for status in read_sweep(sweep, ["t07"]) for task in status.run.tasks}
    assert tasks == {"t00", "t07"}
    assert not bench(["gains", str(sweep), "--main", "t00"])
    out, err = capsys.readouterr()
    assert "not finished" not in err
    assert "The 10 largest and 3 smallest gains of each main task" in out
    rows = [line.split() for line in out.splitlines() if line.startswith("t00")]
    gains = [float(row[2].strip("#*")) for row in rows]
    assert len(gains) == 13
    assert gains == sorted(gains, reverse=True)
    assert not bench(["gains", str(sweep), "--main", "t00", "--format", "csv"])
    assert len(capsys.readouterr().out.splitlines()) == 46
    with pytest.raises(UserError, match="has no run of nobody"):
        read_sweep(sweep, ["t00", "nobody"])


def test_a_page_of_many_auxiliaries_names_the_first_ones(sweep, capsys):
    assert not bench(["report", str(sweep), "--main", "t00"])
    page = (sweep / "report" / "index.html").read_text()
    assert 'id="heat"' not in page
    assert "5 smaller gains are left out" in page
    assert page.count('<th scope="row">t') == 40 + 2  # its recommendation, its statistics
    assert "written:" in capsys.readouterr().out
    assert bench(["report", str(sweep)]) == 2
    assert "46 main tasks are too many for a page" in capsys.readouterr().err
