"""The same sweep through the launchers of others: joblib, a real Slurm of one node, a real Ray.

`make test-cluster` runs these. Slurm needs root and Debian's slurmctld, slurmd, slurm-client and
munge; Ray runs in a network namespace that has the loopback device only.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from mtl_bench.runs.sweep_folder import read_sweep
from tests.integration.test_sweeps import BAD, SHORT, SWEEP, records

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
TASKS = ["main=syn_chu,syn_pos", "aux=syn_chu,syn_pos"]
NAMESPACE = ["unshare", "-rn", "sh", "-c", 'ip link set lo up; exec "$@"', "-"]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A running Slurm; its SLURM_CONF."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("slurmctld", "slurmd", "munged"))):
        pytest.skip("needs root and Slurm: apt-get install slurmctld slurmd slurm-client munge")
    folder = tmp_path_factory.mktemp("slurm")
    script = str(Path(__file__).with_name("slurm.sh"))
    subprocess.run([script, "start", str(folder)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    yield str(folder / "slurm.conf")
    subprocess.run([script, "stop", str(folder)], check=True, timeout=60)


@pytest.fixture(params=["joblib", "slurm", "ray_local"])
def launcher(request, monkeypatch):
    """The arguments that choose a launcher, and what its command begins with."""
    plugin = {"joblib": "joblib", "slurm": "submitit", "ray_local": "ray"}[request.param]
    if not find_spec(f"hydra_plugins.hydra_{plugin}_launcher"):
        pytest.skip(f"needs the extra: pip install 'mtl-bench[{plugin}]'")
    chosen = [f"hydra/launcher={request.param}"]
    if request.param == "slurm":
        monkeypatch.setenv("SLURM_CONF", request.getfixturevalue("slurm"))
        return [*chosen, "hydra.launcher.timeout_min=5"], []
    if request.param == "ray_local":
        if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
            pytest.skip("needs unshare, for a network of its own")
        return [*chosen, "+hydra.launcher.ray.init.num_cpus=2"], NAMESPACE
    return [*chosen, "hydra.launcher.n_jobs=2"], []


def train(launcher, *arguments, seconds=300):
    """Run a sweep; interrupt it, as a person would, where it waits for what will never come."""
    chosen, prefix = launcher
    process = subprocess.Popen(
        [*prefix, sys.executable, str(REPOSITORY / "train.py"), "-m", *arguments, *chosen],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(5)
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
    return process.returncode, out


def test_the_records_are_those_of_our_own_workers(launcher):
    code, out = train(launcher, *TASKS, *SHORT)
    assert code == 0, out
    assert "Gain of F1" in out
    code, again = train(launcher, *TASKS, *SHORT)
    assert code == 0
    assert "3 finished" in again
    code, out = train((["hydra/launcher=workers"], []), *TASKS, *SHORT, "sweep_name=own")
    assert code == 0, out
    assert records() == records(Path("multirun_outputs/own"))


def test_a_killed_job_is_left_to_the_next_command(launcher, own_task, tmp_path, monkeypatch):
    (tmp_path / "bad.py").write_text(BAD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    folder = own_task("good")
    (folder / "zkill.yaml").write_text(
        "title: bad\nreader: {_target_: bad.Bad, how: kill}\nsplits: {train: {}, test: {}}\n"
    )
    code, out = train(launcher, "main=syn_chu,good,zkill", *SHORT, seconds=60)
    assert code != 0, out
    states = {run.run.tasks[0]: run.state for run in read_sweep(SWEEP)}
    assert states["zkill"] == "pending"
    assert "finished" in states.values() or "joblib" in launcher[0][0]  # its pool breaks at once
    (folder / "zkill.yaml").write_text((folder / "good.yaml").read_text())
    code, out = train(launcher, "main=syn_chu,good,zkill", *SHORT)
    assert code == 0, out
    assert {run.state for run in read_sweep(SWEEP)} == {"finished"}


def test_a_search_trains_in_rounds(launcher):
    tasks = ["main=syn_mwe", "aux=[syn_pos,syn_key]", "budget=0.5"]
    short = ["steps_per_task=40", "trainer.val_check_interval=4"]
    short += ["optimizer=adam", "optimizer.lr=0.01"]
    code, out = train(launcher, "hydra/sweeper=recommend", "parallel=2", *tasks, *short)
    assert code == 0, out
    assert "round 2: " in out
    assert "Next: python train.py" in out
    code, out = train(
        (["hydra/launcher=workers"], []),
        *("hydra/sweeper=recommend", "parallel=2", *tasks, *short, "sweep_name=own"),
    )
    assert code == 0, out
    assert records() == records(Path("multirun_outputs/own"))
