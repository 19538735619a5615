"""Studies in W&B: offline, online and synchronised against a stand-in for its server."""

import json
import os
import subprocess
import sys

import pytest

from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.report.wandb import Destination, workspace
from tests.report.wandb_server import ENTITY, Server
from tests.unit.analysis.sweeps import write_sweep

pytestmark = pytest.mark.slow  # a study, and W&B's service for each test


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Return a sweep of small runs whose study can be made."""
    folder = tmp_path_factory.mktemp("wandb") / "small"
    write_sweep(folder)
    return folder


def bench(*arguments):
    """Run mtl-bench in a process of its own: W&B keeps a service beside each."""
    code = "import sys; from mtl_bench.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def inspect(file):
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    yield server
    server.shutdown()
    server.server_close()


def test_offline_it_can_be_read_back_and_sent_later(sweep, server):
    assert "`wandb sync` sends it" in bench("wandb", "study", sweep).stdout
    [file] = sweep.rglob("*.wandb")
    text = inspect(file)
    for part in (
        "study of small",
        '"study"',
        "study/gains",
        "study/claims",
        "study/heatmap",
        "curves/w",
        "report-small",
    ):
        assert part in text
    assert "Does multi-task learning help here?" in text
    assert server.asked == []
    subprocess.run(
        [sys.executable, "-m", "wandb", "sync", str(file.parent)],
        check=True,
        capture_output=True,
        timeout=120,
        env=os.environ.copy(),
    )
    sent = json.dumps([variables for _, variables in server.asked])
    assert "study of small" in sent


def test_online_it_is_sent(sweep, server):
    end = bench("wandb", "study", sweep, "--online", "--entity", ENTITY)
    assert end.returncode == 0, end.stderr
    sent = json.dumps([variables for _, variables in server.asked])
    for part in ("study of small", "small", "mtl_bench", ENTITY):
        assert part in sent
    rows = json.dumps(server.rows)
    assert "study/gains" in rows
    assert any("heatmap" in name for name in server.files)
    assert any("report-small" in json.dumps(variables) for _, variables in server.asked)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:wandb_workspaces")
@pytest.mark.filterwarnings("ignore:Pydantic V1 style:DeprecationWarning")
def test_a_view_has_a_section_for_each_task():
    metrics = {"chu": StudiedMetric("f1", "F1"), "pos": StudiedMetric("accuracy", "accuracy")}
    view = workspace(metrics, Destination("mtl_bench", ENTITY, "sweep"))
    assert [section.name for section in view.sections] == ["study", "chu", "pos"]
    assert view.sections[1].panels[0].y == ["val/f1/chu"]
    assert view.sections[2].panels[0].title == "accuracy of pos"


def test_a_view_is_saved(sweep, server):
    assert "--entity" in bench("wandb", "workspace", sweep).stderr
    end = bench("wandb", "workspace", sweep, "--entity", ENTITY)
    assert "saved: " in end.stdout, end.stderr
    [spec] = [variables for query, variables in server.asked if "upsertView" in query]
    assert "val/f1/w" in json.dumps(spec)
