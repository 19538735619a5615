"""The search for an auxiliary on the real command line: rounds, kills, failures, mistakes."""

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

from mtl_bench.__main__ import main as bench
from mtl_bench.analysis.recommend.history import History
from mtl_bench.commands.shared.answers import lasting_name
from mtl_bench.runs.record_reading import read_record
from mtl_bench.runs.result_sets import packaged
from mtl_bench.runs.sweep_folder import read_sweep
from tests.forked import train
from tests.integration.test_sweeps import BAD, REPOSITORY, records
from tests.unit.analysis.sweeps import write_run

SHORT = [
    "steps_per_task=40",
    "trainer.val_check_interval=4",
    "optimizer=adam",
    "optimizer.lr=0.01",
]
SEARCH = ["-m", "hydra/sweeper=recommend", *SHORT]
SWEEP = Path("multirun_outputs/default")


def history(main):
    """Return the history of a search, without its times."""
    [file] = (SWEEP / "recommend").glob(f"{main},*.json")
    content = json.loads(file.read_text())
    del content["sha256"]  # of the times, too
    for each in content["rounds"]:
        del each["seconds"]
    return content


def test_a_search_trains_a_part_and_says_which(tmp_path, capsys):
    arguments = [*SEARCH, "main=syn_mwe", "aux=[syn_pos,syn_key,syn_str]", "budget=0.5"]
    end = train(*arguments)
    assert end.returncode == 0, end.stderr
    assert "which auxiliary task for syn_mwe?" in end.stdout
    assert "at most 50 % of the 280 steps" in end.stdout
    assert "round 1: syn_mwe/seed0 to 4, " in end.stderr
    assert re.search(r"syn_mwe: \d+ % of all steps; best so far: \w+", end.stderr)
    assert re.search(r"(Recommended: syn_\w+\.|None of them: train syn_mwe alone\.)", end.stdout)
    cost = int(re.search(r"Cost: (\d+) % of training all 3", end.stdout)[1])
    assert 0 < cost <= 50
    steps = sum(read_record(SWEEP / run.run.folder).steps_done for run in read_sweep(SWEEP))
    assert round(100 * steps / 280) == cost
    assert len([*SWEEP.rglob("checkpoint.pt")]) == 4  # to go on from in the next round
    page = Path(re.search(r"Its page: (\S+)", end.stdout)[1])
    assert '<section id="recommendation">' in page.read_text()
    [answer] = json.loads((page.parent / "recommendation.json").read_text())
    assert answer["main"] == "syn_mwe"
    assert len(answer["rows"]) == 3

    before = history("syn_mwe")
    again = train(*arguments)
    assert again.returncode == 0, again.stderr
    assert "round" not in again.stderr
    assert history("syn_mwe") == before
    assert bench(["recommend", str(SWEEP), "--json", "answer.json"]) == 0
    out = capsys.readouterr().out
    for text in (end.stdout, again.stdout):  # the same answer from what is on disk
        assert out.partition("\nwritten")[0].strip() in text
    assert json.loads(Path("answer.json").read_text()) == [answer]

    command = re.search(r"Next: python train.py (.+)", end.stdout)[1].replace("'", "").split()
    tagger = train(*command)
    assert tagger.returncode == 0, tagger.stderr
    choice = answer["choice"]
    tasks = "+".join(sorted({"syn_mwe", *([choice] if choice else [])}))
    [folder] = (SWEEP / tasks).glob("*/seed0")
    assert (folder / "tagger").is_dir()
    assert read_record(folder).budget == 40


@pytest.mark.slow
def test_a_search_killed_on_its_way_ends_as_an_undisturbed_one(tmp_path):
    arguments = [*SEARCH, "main=syn_mwe,syn_pos", "aux=[syn_key,syn_str]", "budget=0.6"]
    arguments += ["hydra.launcher.processes=2", "callbacks.checkpoint_seconds=0"]
    end = train(*arguments)
    assert end.returncode == 0, end.stderr
    undisturbed = records(), history("syn_mwe"), history("syn_pos")
    SWEEP.rename("undisturbed")
    for number, lines in ((signal.SIGKILL, 7), (signal.SIGINT, 2), (signal.SIGTERM, 1)):
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "train.py"), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for line in process.stderr:  # in the middle of a round
            lines -= line.startswith("[")
            if not lines:
                break
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
        time.sleep(1)  # workers notice that their parent is gone
    end = train(*arguments)
    assert end.returncode == 0, end.stderr
    assert "resumes    after" in end.stdout
    assert (records(), history("syn_mwe"), history("syn_pos")) == undisturbed


@pytest.mark.slow
def test_a_candidate_that_fails_costs_itself_only(tmp_path, own_task):
    (tmp_path / "bad.py").write_text(BAD)
    folder = own_task("good")
    for how in ("kill", "raise"):
        (folder / f"z{how}.yaml").write_text(
            f"title: bad\nreader: {{_target_: bad.Bad, how: {how}}}\nsplits: {{train: {{}}, test: {{}}}}\n"
        )
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    end = train(*SEARCH, "main=syn_mwe", "aux=[zkill,syn_pos,zraise]", "budget=1", env=env)
    assert end.returncode == 1
    assert "Failed: zkill, zraise. `mtl-bench status` says why." in end.stdout
    assert re.search(r"syn_pos .*(recommended|finished|stopped|runner-up)", end.stdout)
    assert "RuntimeError: what now?" in end.stderr
    end = train(*SEARCH, "main=zraise", "aux=[syn_pos,syn_mwe]", "sweep_name=other", env=env)
    assert end.returncode == 1
    assert "its single run failed, and gains are relative to that" in end.stderr


@pytest.mark.slow
def test_another_policy_uses_the_same_runs(tmp_path):
    arguments = [*SEARCH, "main=syn_mwe", "aux=[syn_pos,syn_key]", "budget=0.7"]
    for policy in (["policy=pilots", "policy.share=0.5"], ["policy=halving"], []):
        end = train(*arguments, *policy)
        assert end.returncode == 0, end.stderr
        command = re.search(r"Next: python train.py (.+)", end.stdout)[1]
        assert "policy" not in command
    assert len({run.run.variant for run in read_sweep(SWEEP)}) == 1
    assert bench(["recommend", str(SWEEP)]) == 0


@pytest.mark.slow
def test_a_sampler_that_uses_the_main_task_keeps_runs_apart(tmp_path):
    sampler = ["sampler=weighted", "sampler.weights.main=0.7"]
    end = train(*SEARCH, *sampler, "main=syn_mwe,syn_pos", "aux=[syn_pos,syn_mwe,syn_key]")
    assert end.returncode == 0, end.stderr
    assert end.stdout.count("Cost:") == 2


@pytest.mark.slow
def test_a_damaged_curve_is_named_and_its_candidate_left_out(tmp_path):
    arguments = [*SEARCH, "main=syn_mwe", "aux=[syn_pos,syn_key]", "budget=0.4"]
    assert train(*arguments).returncode == 0
    [curve] = SWEEP.glob("syn_mwe+syn_pos/*/seed0/curve.csv")
    curve.write_text("damaged")
    end = train(*arguments[:-1], "budget=1")
    assert str(curve.parent) in end.stderr
    assert "Traceback" not in end.stderr
    assert re.search(r"syn_pos .*failed", end.stdout) or "syn_pos" not in end.stdout


@pytest.mark.slow
def test_what_another_sweep_trained_costs_nothing(tmp_path):
    tasks = ["main=syn_mwe", "aux=syn_mwe,syn_pos,syn_key"]
    assert train("-m", *tasks, *SHORT).returncode == 0
    before = records()
    end = train(*SEARCH, "main=syn_mwe", "aux=[syn_pos,syn_key]", "max_seeds=1", "budget=0.1")
    assert end.returncode == 0, end.stderr
    assert "round" not in end.stderr
    assert records() == before
    assert history("syn_mwe")["bought"] == {}


def test_the_record_is_kept_by_its_name():
    end = train(*SEARCH, "main=syn_mwe", "aux=[syn_pos]", "budget=0.5", "record=contextual")
    assert end.returncode == 0, end.stderr
    assert history("syn_mwe")["record"] == "contextual"


def test_a_record_that_is_gone_is_said_and_left_out(tmp_path, capsys):
    write_run(tmp_path, ["a"], {"a": 0.5})
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6})
    History("a", ["b"], 100, [100], "value", record="gone").write(tmp_path)
    assert bench(["recommend", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "record of the search cannot be read" in out and "gone" in out


def test_names_of_records_last(tmp_path):
    for name in ("published", "contextual"):
        assert lasting_name(name) == name
    write_run(tmp_path / "multirun_outputs" / "mine", ["a"], {"a": 0.5})
    assert lasting_name("mine") == str(tmp_path / "multirun_outputs/mine")
    shutil.copy(packaged()["contextual"], "mine.tar.xz")
    assert lasting_name("mine.tar.xz") == str(tmp_path / "mine.tar.xz")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["main=syn_mwe"], "A search needs candidates"),
        (["main=syn_mwe", "aux=[syn_mwe,syn_pos]"], "aux names the main task, syn_mwe"),
        (["main=syn_mwe", "aux=[syn_pos,chuu]"], "there is no task 'chuu'"),
        (["main=syn_mwe", "aux=[syn_pos,syn_key]", "budget=0.01"], "budget=0.01 allows no run"),
        (["main=syn_mwe", "aux=[syn_pos]", "budget=3"], "budget=3 is not a share above 0"),
        (["main=syn_mwe", "aux=[syn_pos]", "seed=0,1"], "seeds are its own to choose"),
        (["main=syn_mwe", "aux=[syn_pos]", "model.dropout=0.1,0.2"], "differ in their tasks only"),
        (["main=syn_mwe", "aux=[syn_pos]", "data.split_seed=${seed}"], "may refer to. Type its"),
        (["main=syn_mwe", "aux=[syn_pos]", "overwrite=true"], "would train each run anew"),
        (["main=syn_mwe", "aux=[syn_pos]", "trainer.max_steps=9"], "trainer.max_steps limits"),
        (["main=syn_mwe", "aux=[syn_pos]", "record=nope"], "nope: there is no such folder"),
        (["main=syn_mwe", "aux=[syn_pos]", "policy=best"], "there is no 'best'"),
        (["main=syn_mwe", "aux=[syn_pos]", "parallel=0"], "parallel=0 is not a whole number"),
        (["main=syn_mwe,syn_pos", "aux=[syn_mwe]"], "syn_mwe: has no candidate but itself"),
        (["main=syn_mwe", "aux=[syn_pos]", "policy.clos=1"], "has no option 'clos'. Did you mean"),
        (["main=syn_mwe", "aux=[syn_pos]", "policy.shares=[2]"], "shares are ascending, above 0"),
    ],
)
def test_mistakes_are_answered(command, arguments, message):
    code, _, err = command(*SEARCH, *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not list(SWEEP.glob("**/record.json"))


def test_runs_that_cannot_be_extended_or_compared_are_refused(command):
    task = ["-m", "hydra/sweeper=recommend", "main=syn_mwe", "aux=[syn_pos]"]
    code, _, err = command(*task, "optimizer=adamw_linear")
    assert code == 2
    assert "optimizer follows the budget" in err
    code, _, err = command(*task, "steps_per_task=10", "trainer.val_check_interval=20")
    assert code == 2
    assert "steps_per_task=10 ends before the first evaluation, at 20" in err


def test_the_keys_of_a_search_belong_to_one(command):
    for arguments in (["main=syn_mwe", "budget=0.2"], ["-m", "main=syn_mwe", "policy=halving"]):
        code, _, err = command(*arguments)
        assert code == 2
        assert "belongs to a search for an auxiliary task" in err
        assert "-m experiment=recommend" in err


def test_some_main_tasks_of_a_result_set_are_answered(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert bench(["recommend", "contextual", "--main", "mwe,chu,mwe,"]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^hyp_wescience ", out, re.MULTILINE)) == 2  # not broken in the middle
    assert re.findall(r"^(\w+) alone: .* on dev after", out, re.MULTILINE) == ["mwe", "chu"]
    assert bench(["recommend", "contextual", "--main", "mwe,xx"]) == 2
    assert "has no gains of 'xx', but of ccg_redwoods, chu, " in capsys.readouterr().err
