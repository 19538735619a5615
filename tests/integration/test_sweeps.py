"""Sweeps on the real command line: planned, spread out, contained, resumed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtl_bench import open_sweep
from mtl_bench.__main__ import main as bench
from mtl_bench.runs.curve import read_curve
from mtl_bench.runs.record_reading import read_record
from mtl_bench.runs.sweep_folder import read_plan, read_sweep
from tests.forked import train

REPOSITORY = Path(__file__).parents[2]
SHORT = [  # without gains and a study of each sweep
    "~hydra.callbacks.study",
    "steps_per_task=4",
    "trainer.val_check_interval=4",
    "model.hidden_size=5",
    "embeddings.dim=5",
]
THREE = ["main=syn_chu,syn_pos,syn_mwe", "aux=syn_chu,syn_pos,syn_mwe"]
OUTER = ("timings", "host", "config", "git_commit")
SWEEP = Path("multirun_outputs/default")


def records(sweep=SWEEP):
    """Return what each run measured, by folder; nothing that time, place or checkout decides."""
    found = {}
    for run in read_sweep(sweep):
        record = read_record(sweep / run.run.folder)
        facts = {k: v for k, v in vars(record).items() if k not in OUTER}
        curve = (sweep / run.run.folder / "curve.csv").read_bytes()
        found[run.run.folder] = (str(facts), curve)
    return found


def leftovers(sweep=SWEEP):
    kept = {".lock", ".plan.lock", ".closing.json"}
    return [str(file) for file in sweep.rglob(".*") if file.name not in kept]


@pytest.mark.parametrize(
    "experiment", ["eacl2017_sweep", pytest.param("demo_sweep", marks=pytest.mark.slow)]
)
def test_the_studies_are_55_runs(experiment, tmp_path):
    end = train(f"experiment={experiment}", "dry_run=true", "embeddings=random")
    assert end.returncode == 0, end.stderr
    assert "55 runs (10 singles, 45 pairs)" in end.stdout
    assert not (tmp_path / "multirun_outputs").exists()
    if experiment == "eacl2017_sweep":
        assert (
            "ccg_redwoods, chu, com, fnt, hyp_wescience, key, mwe, pos, sem, str"
            in end.stdout.replace("\n", " ")
        )
        assert "download  ccg_redwoods, chu" in end.stdout


def test_a_sweep_trains_each_set_once_and_its_gains_can_be_read(tmp_path, capsys):
    end = train("-m", *THREE, *SHORT)
    assert end.returncode == 0, end.stderr
    assert "6 runs (3 singles, 3 pairs)" in end.stdout
    assert "6 pending" in end.stdout
    assert re.search(r"to train +6 runs, 36 steps, \d+ at a time", end.stdout)
    assert re.search(r"time +about \d+ s", end.stdout)
    assert "[6/6]" in end.stderr
    assert leftovers() == []
    assert bench(["status", str(SWEEP)]) == 0
    out = capsys.readouterr().out
    assert "6 runs: 6 finished ✓" in out
    again = train("-m", *THREE, *SHORT, "seed=0,1")
    assert again.returncode == 0, again.stderr
    assert "6 finished, 6 pending" in again.stdout
    before = {f: f.stat().st_mtime_ns for f in SWEEP.rglob("record.json")}
    finished = train("-m", *THREE, *SHORT)
    assert "6 finished" in finished.stdout
    assert "to train" not in finished.stdout
    assert before == {f: f.stat().st_mtime_ns for f in SWEEP.rglob("record.json")}
    rows = bench(["gains", str(SWEEP), "--format", "json"])
    assert rows == 0
    gains = json.loads(capsys.readouterr().out)
    assert len(gains) == 6
    assert {row["seeds"] for row in gains} == {2}


@pytest.mark.slow
def test_side_by_side_gives_the_records_of_one_after_the_other(tmp_path):
    ends = [
        train("-m", *THREE, *SHORT, f"sweep_name={name}", f"hydra/launcher={launcher}")
        for name, launcher in (("side", "workers"), ("serial", "basic"))
    ]
    assert [end.returncode for end in ends] == [0, 0], [end.stderr for end in ends]
    assert records(Path("multirun_outputs/side")) == records(Path("multirun_outputs/serial"))


BAD = """
import os, signal, sys
class Bad:
    def __init__(self, how): self.how = how
    def __call__(self, file, part):
        if self.how == "raise": raise RuntimeError("what now?")
        if self.how == "exit": sys.exit(5)
        if self.how == "abort": os._exit(9)
        if self.how == "memory": return [0] * 10**14
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_whatever_happens_to_a_run_costs_that_run_only(tmp_path, own_task):
    (tmp_path / "bad.py").write_text(BAD)
    names = {"raise": "RuntimeError: what now?", "exit": "SystemExit: 5", "memory": "MemoryError",
             "abort": "Killed: its process ended with exit code 9", "kill": "Killed: its process was killed by SIGKILL"}  # fmt: skip
    folder = own_task("good")
    for how in names:
        (folder / f"{how}.yaml").write_text(
            f"title: bad\nreader: {{_target_: bad.Bad, how: {how}}}\nsplits: {{train: {{}}, test: {{}}}}\n"
        )
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    end = train("-m", f"main=syn_chu,{','.join(names)},good", *SHORT, env=env)
    assert end.returncode == 1
    assert "5 runs are not finished" in end.stderr
    for how, reason in names.items():
        assert re.search(rf"{how}/.*: {re.escape(reason)}", end.stderr), end.stderr
    states = {run.run.tasks[0]: run.state for run in read_sweep(SWEEP)}
    assert states == dict.fromkeys(names, "failed") | {"syn_chu": "finished", "good": "finished"}
    for how in names:
        (folder / f"{how}.yaml").write_text((folder / "good.yaml").read_text())
    again = train("-m", f"main=syn_chu,{','.join(names)},good", *SHORT, env=env)
    assert again.returncode == 0, again.stderr
    assert "2 finished, 5 failed" in again.stdout
    assert "to train  5 runs" in again.stdout


def start(*arguments):
    """Start a sweep in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, str(REPOSITORY / "train.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def running(sweep=SWEEP):
    try:
        return [run for run in read_sweep(sweep) if run.heartbeat and run.heartbeat.step > 0]
    except Exception:
        return []


def wait_until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


LONG = ["main=syn_chu,syn_pos", "aux=syn_chu,syn_pos", "steps_per_task=1500", "model.hidden_size=5",
        "embeddings.dim=5", "trainer.val_check_interval=500"]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [2, 3, 4, 5, 7, 9])
def test_ctrl_c_at_any_moment_is_understood(tmp_path, seconds):
    sweep = start("-m", *LONG)
    time.sleep(seconds)
    os.killpg(sweep.pid, signal.SIGINT)
    out, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 130, out
    assert "Traceback" not in out
    assert "re-run the command to resume" in out


@pytest.mark.slow
def test_a_signal_to_the_whole_group_loses_no_checkpoint(tmp_path):
    sweep = start("-m", *LONG[:2], *LONG[3:], "steps_per_task=20000")
    assert wait_until(running)
    os.killpg(sweep.pid, signal.SIGTERM)
    out, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 143, out
    interrupted = [run for run in read_sweep(SWEEP) if run.state == "interrupted"]
    assert interrupted
    assert all(run.steps_done > 0 for run in interrupted)


@pytest.mark.slow
def test_ctrl_c_saves_what_runs_and_the_same_command_goes_on(tmp_path, capsys):
    sweep = start("-m", *LONG)
    assert wait_until(running)
    assert bench(["status", str(SWEEP)]) == 0
    assert "▶" in capsys.readouterr().out
    os.killpg(sweep.pid, signal.SIGINT)
    out, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 130, out
    assert "interrupted by SIGINT; re-run the command to resume" in out
    assert any(run.state == "interrupted" for run in read_sweep(SWEEP))
    assert not any(run.state == "running" for run in read_sweep(SWEEP))
    end = train("-m", *LONG)
    assert end.returncode == 0, end.stderr
    assert "interrupted" in end.stdout
    undisturbed = train("-m", *LONG, "sweep_name=other")
    assert undisturbed.returncode == 0
    assert records() == records(Path("multirun_outputs/other"))
    assert leftovers() == []


@pytest.mark.slow
def test_two_sweeps_at_once_do_each_other_no_harm(tmp_path):
    sweeps = [start("-m", *LONG), start("-m", *LONG)]
    ends = [sweep.communicate(timeout=200)[0] for sweep in sweeps]
    assert [sweep.returncode for sweep in sweeps] == [0, 0], ends
    assert {run.state for run in read_sweep(SWEEP)} == {"finished"}
    trained = [sum("  finished  " in line for line in out.splitlines()) for out in ends]
    assert sum(trained) >= 3
    assert leftovers() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "damage", "state"),
    [
        ("record.json", lambda text: text[: len(text) // 2], "damaged"),
        (
            "record.json",
            lambda text: text.replace('"steps_done": 4', '"steps_done": 5'),
            "damaged",
        ),
    ],
)
def test_damaged_records_are_told_and_trained_again_on_demand(file, damage, state, command):
    run = ["main=syn_chu", *SHORT]
    assert command(*run)[0] == 0
    [place] = SWEEP.rglob(file)
    first = read_record(place.parent).weights_sha256
    place.write_text(damage(place.read_text()))
    assert [run.state for run in read_sweep(SWEEP)] == [state]
    end = train("-m", *run)
    assert end.returncode == 2
    assert "and re-run the command that trained it" in end.stderr
    assert train("-m", *run, "overwrite=true").returncode == 0
    assert read_record(place.parent).weights_sha256 == first
    assert read_curve(place.parent)


def test_a_run_that_could_not_be_trained_again_is_not_called_finished(own_task):
    folder = own_task()
    sweep = ["-m", "main=mine", *SHORT]
    assert train(*sweep).returncode == 0
    [place] = SWEEP.rglob("record.json")
    before = place.read_bytes()
    (folder / "mine.train.tsv").write_text("The\tDET\nold\n\n")
    end = train(*sweep, "overwrite=true")
    assert end.returncode == 1
    assert "0 done" not in end.stdout and "  finished  " not in end.stderr
    assert f"the earlier run is kept; {place.parent / 'log.txt'} says why" in end.stderr
    assert "line 2: 1 column" in (place.parent / "log.txt").read_text()
    assert place.read_bytes() == before


def test_a_sweep_whose_runs_are_there_has_a_plan_and_gives_them_taggers(command):
    for tasks in (["main=syn_pos"], ["main=syn_pos", "aux=syn_chu"]):
        assert command(*tasks, *SHORT, "save_weights=false")[0] == 0
    run = ["main=syn_pos", *SHORT]
    code, out, err = command("-m", *run, "aux=syn_chu")
    assert code == 0, err
    assert "2 finished" in out
    assert [run.budgets for run in read_plan(SWEEP)] == [(4,)] * 2
    assert not list(SWEEP.rglob("tagger.json"))
    code, _, err = command(
        "-m", *run, "aux=syn_chu", "save_weights=true", "trainer.accelerator=gpu"
    )
    if code:  # without a GPU
        assert (code, err.count("the earlier run is kept")) == (2, 2)
        assert "  finished  " not in err
        assert {run.state for run in read_sweep(SWEEP)} == {"finished"}
    code, out, err = command("-m", *run, "aux=syn_chu", "save_weights=true")
    assert code == 0, err
    assert len(list(SWEEP.rglob("tagger.json"))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["main=glob(nothing*)"], "has no runs"),
        (
            ["main=syn_chu", "aux=syn_pos,syn_mwe", "tasks.syn_pos.max_length=3"],
            "is not in 1 of the 2",
        ),
        (["main=ccg,syn_chu"], "skip_missing=true"),
        (["main=syn_pos,syn_chu", "+stepspertask=3"], "there is no such key"),
        (["main=syn_chu", "optimizer.lrr=1,2"], "lrr"),
        (["main=syn_chu", "sweep_name=a,b"], "has one folder"),
        (["main=syn_chu", "dry_run=true,false"], "dry_run has one value"),
        (["main=syn_chu,syn_poss"], "Did you mean syn_pos"),
        (["main=syn_chu", "seed=-1,0"], "seed is -1"),
        (["main=syn_chu,ccg", "hydra.launcher.processes=-1"], "hydra.launcher.processes is -1"),
        (["main=ccg,hyp", "skip_missing=true"], "every run needs data that is missing"),
        (["main=syn_chu,syn_pos", "hydra.sweep.subdir=x"], "hydra.sweep.subdir"),
    ],
)
def test_mistakes_are_told_before_the_first_run(arguments, message):
    end = train("-m", *arguments)
    assert end.returncode == 2, end.stdout
    assert message in end.stderr
    assert "Traceback" not in end.stderr
    assert not list(Path().rglob("record.json"))


@pytest.mark.slow
def test_a_folder_without_rights_is_told(tmp_path):
    if os.geteuid() == 0:
        target = Path("/proc/mtl")
    else:
        target = tmp_path / "closed"
        target.mkdir(mode=0o500)
    end = train("-m", "main=syn_chu,syn_pos", *SHORT, f"paths.output_dir={target}")
    assert end.returncode in (1, 2)
    assert "Traceback" not in end.stderr
    assert str(target) in end.stderr


@pytest.mark.slow
def test_keys_of_a_task_may_be_set_in_a_sweep():
    end = train("-m", "main=syn_pos,syn_mwe", "aux=syn_pos", "tasks.syn_pos.max_length=3", *SHORT)
    assert end.returncode == 0, end.stderr
    lengths = {
        record.config["tasks"]["syn_pos"]["max_length"]
        for run in read_sweep(SWEEP)
        if (record := run.record)
    }
    assert lengths == {3}


@pytest.mark.slow
def test_skip_missing_and_adding_a_task(tmp_path):
    end = train("-m", "main=syn_chu,ccg", "aux=syn_chu,ccg", "skip_missing=true", *SHORT)
    assert end.returncode == 0, end.stderr
    assert "missing" in end.stdout
    added = train("-m", "main=syn_chu,syn_pos", "aux=syn_chu,syn_pos", *SHORT)
    assert "1 finished, 2 pending" in added.stdout
    assert len(read_sweep(SWEEP)) == 3


def test_status_of_a_thousand_runs(tmp_path, command, capfd):
    assert command("main=syn_chu", *SHORT)[0] == 0
    [one] = (f.parent for f in SWEEP.rglob("record.json"))
    for number in range(1, 1000):
        shutil.copytree(one, one.parent / f"seed{number}")
    begin = time.perf_counter()
    assert bench(["status", str(SWEEP)]) == 0
    seconds = time.perf_counter() - begin
    assert "1000 runs: 1000 finished" in capfd.readouterr().out
    print(f"status of 1,000 runs: {seconds:.2f} s")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 120 kB; call it to make it larger."""

    def mount(*options):
        return subprocess.run(
            ["mount", "-t", "tmpfs", *options, "tmpfs", str(disk)], capture_output=True
        ).returncode

    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("mount") is None or mount("-o", "size=120k"):
        pytest.skip("making a small disk takes the right to mount")
    yield disk, lambda: mount("-o", "remount,size=20m")
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_named_and_space_is_all_it_takes(small_disk):
    disk, enlarge = small_disk
    given = ("steps_per_task=", "model.hidden_size=")
    short = [each for each in SHORT if not each.startswith(given)]
    sweep = ["-m", "main=syn_chu,syn_pos", "aux=syn_chu,syn_pos", *short, "steps_per_task=40"]
    full = train(*sweep, "model.hidden_size=100", f"paths.output_dir={disk}")
    assert full.returncode == 1, full.stderr
    assert "No space left on device" in full.stderr
    assert enlarge() == 0
    end = train(*sweep, "model.hidden_size=100", f"paths.output_dir={disk}")
    assert end.returncode == 0, end.stderr
    assert train(*sweep, "model.hidden_size=100").returncode == 0
    assert records(disk / "default") == records()
    assert leftovers(disk / "default") == []


@pytest.mark.slow
def test_measured_gains_agree_with_the_reference(tmp_path, capsys):
    end = train("experiment=demo_sweep", "seed=0,1,2", timeout=1800)
    assert end.returncode == 0, end.stderr
    assert "Does multi-task learning help here?" in end.stdout
    assert Path("multirun_outputs/demo_sweep/report/index.html").exists()
    assert bench(["reference", "multirun_outputs/demo_sweep"]) == 0
    out = capsys.readouterr().out
    assert "90 gains at 120 steps per task, seeds each: 3" in out
    whole, low, _ = map(float, re.search(r"all pairs +(\S+) .*: (\S+) to (\S+)\)", out).groups())
    assert whole >= 0.5
    assert low > 0.2
    low, high = map(float, re.search(r"permuted tasks +(\S+) to (\S+) ", out).groups())
    assert low < 0 < high < 0.45


@pytest.mark.slow
def test_a_sweep_over_budgets_trains_each_run_once_and_reads_it_at_each(tmp_path):
    end = train("-m", "main=syn_pos", "aux=syn_key", "steps_per_task=20,40", "baselines=true")
    assert end.returncode == 0, end.stderr
    assert "2 runs (1 single, 1 pair)" in end.stdout
    assert {r.parent.parent.name for r in SWEEP.rglob("record.json")} == {
        "syn_pos",
        "syn_key+syn_pos",
    }
    gains = open_sweep("default").gains()
    assert sorted(gains.budget) == [20, 40]
    assert dict(zip(gains.budget, gains.split, strict=True)) == {20: "dev", 40: "test"}


def test_a_tuned_sweep_tunes_alike_and_ends_without_work_when_repeated(command, tmp_path):
    pytest.importorskip("optuna", reason="the extra `tune` is not installed")
    arguments = [
        *("-m", "main=syn_pos", "aux=syn_chu", "hydra/sweeper=tune", "trials=2", "seed=0,1"),
        *("sampler=weighted", "optimizer=adam", "steps_per_task=8", "rungs=[0.5,1]"),
        *("data.batch_size=4", "model.hidden_size=4", "embeddings.dim=4"),
    ]
    code, out, err = command(*arguments)
    assert code == 0, err
    assert "selected on dev" in out and "syn_chu, tuned:" in out
    (file,) = Path("multirun_outputs").rglob("tuned.json")
    single, pair = json.loads(file.read_text("utf-8"))["syn_pos"]
    assert single["trials"] == pair["trials"] == 2
    assert single["tuned"].keys() == pair["untuned"].keys() == {"0", "1"}
    again = command(*arguments)
    assert again[0] == 0 and " finished  " not in again[1]
    assert again[1].splitlines()[-6:] == out.splitlines()[-6:]


def test_a_key_of_tuning_elsewhere_and_the_seed_of_trials_are_answered(command):
    code, _, err = command("-m", "main=syn_pos", "aux=syn_chu", "trials=3")
    assert code == 2 and "`trials` belongs to tuning" in err
    code, _, err = command("-m", "main=syn_pos", "aux=syn_chu", "hydra/sweeper=tune", "seed=1000")
    assert code == 2 and "seed=1000 is that of the trials" in err
    code, _, err = command("-m", "main=syn_pos", "aux=syn_chu", "hydra/sweeper=tune", "seed=x")
    assert code == 2 and "seed: 'x' is not a whole number" in err
    tune = ["-m", "main=syn_pos", "aux=syn_chu", "hydra/sweeper=tune"]
    for wrong, expected in (
        (["sampler=uniform"], "space names sampler.weights.main"),
        (["sampler=weighted", "data.eval_split=test", "keep=last"], "may not be what reports them"),
        (["sampler=weighted", "trainer.max_steps=9"], "trainer.max_steps caps all runs"),
        (
            ["sampler=weighted", "steps_per_task=4", "trainer.val_check_interval=2"],
            "first rung is 1",
        ),
        (["sampler=weighted", "rungs=[a,1.0]"], "rungs=['a', 1.0]; allowed are"),
    ):
        code, _, err = command(*tune, *wrong)
        assert code == 2 and expected in err, err
