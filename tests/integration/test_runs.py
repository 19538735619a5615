"""Whole runs through the real command line, in a temporary folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mtl_bench.__main__ import main as mtl_bench
from mtl_bench.config.run_key import variant_name
from mtl_bench.runs.curve import read_curve
from mtl_bench.runs.record_reading import read_record

QUICK = ["debug=quick", "callbacks.progress=false"]


def folders():
    return sorted(p.parent for p in Path("multirun_outputs").rglob("record.json"))


def losses(folder):
    return [
        (r.step, r.own_step, r.task, r.values["loss"])
        for r in read_curve(folder)
        if r.split == "train"
    ]


def test_a_single_run_leaves_a_record_a_curve_and_a_table(command):
    code, out, err = command("main=syn_pos", "debug=quick")
    assert code == 0, err
    (folder,) = folders()
    assert folder == Path("multirun_outputs/default/syn_pos/debug=quick/seed0")
    record = read_record(folder)
    assert (record.status, record.steps_done, record.budget) == ("finished", 20, 20)
    task = record.tasks["syn_pos"]
    assert task.final_split == "test"
    assert 0 <= task.final["f1"] <= 1
    assert set(task.statistics) == {
        *("size", "labels", "tokens_per_type", "oov_percent"),
        *("label_entropy", "frobenius_norm", "jsd"),
    }
    assert record.config["optimizer"]["lr"] == 1.0
    assert record.versions["torch"] == torch.__version__
    assert len(record.weights_sha256) == 64
    assert record.error is None
    assert [(r.step, r.own_step) for r in read_curve(folder) if r.split == "train"] == [
        (10, 10),
        (20, 20),
    ]
    assert [r.step for r in read_curve(folder) if r.split == "dev"] == [10, 20]
    assert "syn_pos" in out
    assert str(folder.absolute()) in out
    assert sorted(p.name for p in folder.iterdir()) == [
        *(".lock", "curve.csv", "record.json", "tagger"),
    ]
    kept = record.tasks["syn_pos"].kept_step
    assert [p.name for p in sorted((folder / "tagger").iterdir())] == [
        *(f"step{kept}.safetensors", "tagger.json"),
    ]


def test_rows_of_a_pair_count_each_tasks_own_steps(command):
    assert command("main=syn_pos", "aux=syn_key", *QUICK)[0] == 0
    (folder,) = folders()
    record = read_record(folder)
    assert record.steps_done == 40
    for task in ("syn_key", "syn_pos"):
        rows = [r for r in read_curve(folder) if r.task == task and r.split == "train"]
        assert [r.own_step for r in rows] == [10 * n for n in range(1, len(rows) + 1)]
    assert folder.parts[2] == "syn_key+syn_pos"


def test_a_finished_run_is_not_trained_again_whoever_is_main(command):
    assert command("main=syn_pos", "aux=syn_key", *QUICK)[0] == 0
    (folder,) = folders()
    before = (folder / "record.json").read_bytes()
    code, out, _ = command("main=syn_key", "aux=syn_pos", *QUICK)
    assert code == 0
    assert "finished before" in out
    assert (folder / "record.json").read_bytes() == before
    assert len(folders()) == 1


def test_an_override_makes_a_sibling_folder(command):
    assert command("main=syn_pos", *QUICK)[0] == 0
    assert command("main=syn_pos", *QUICK, "optimizer=adam", "optimizer.lr=1e-3")[0] == 0
    assert command("main=syn_pos", *QUICK, "seed=4")[0] == 0
    names = {str(folder.relative_to("multirun_outputs/default/syn_pos")) for folder in folders()}
    assert names == {
        "debug=quick/seed0",
        "debug=quick/seed4",
        "debug=quick,optimizer.lr=1e-3,optimizer=adam/seed0",
    }


def test_a_changed_corpus_is_refused_with_the_two_ways_out(command, own_task):
    folder = own_task()
    assert command("main=mine", *QUICK)[0] == 0
    (folder / "mine.test.tsv").write_text("A\tDET\nman\tNOUN\n\n")
    code, _, err = command("main=mine", *QUICK)
    assert code == 2
    assert "checksums.mine.test" in err
    assert "overwrite=true" in err
    assert "sweep_name" in err
    assert "Traceback" not in err
    assert command("main=mine", *QUICK, "sweep_name=other")[0] == 0
    assert command("main=mine", *QUICK, "overwrite=true")[0] == 0
    assert command("main=mine", *QUICK)[0] == 0


def test_own_files_become_a_task(command, own_task):
    own_task(dev="Old\tADJ\nmen\tNOUN\n\n" * 3)
    code, _, err = command("main=mine", "aux=syn_pos", *QUICK)
    assert code == 0, err
    record = read_record(folders()[0])
    assert record.tasks["mine"].sentences == {"train": 40, "dev": 3, "test": 8}


def test_overwriting_loses_nothing_before_something_new_can_run(command, own_task):
    folder = own_task()
    assert command("main=mine", *QUICK)[0] == 0
    (run,) = folders()
    before = (run / "record.json").read_bytes()
    (folder / "mine.test.tsv").rename(folder / "away")
    assert command("main=mine", *QUICK, "overwrite=true")[0] == 2
    assert (run / "record.json").read_bytes() == before
    (folder / "away").rename(folder / "mine.test.tsv")
    (run / "record.json").write_text("damaged")
    assert command("main=mine", *QUICK)[0] == 2
    assert command("main=mine", *QUICK, "overwrite=true")[0] == 0
    assert read_record(run).status == "finished"


def test_a_trainer_that_cannot_be_built_leaves_the_run_that_is_there(command):
    run = ["main=syn_pos", *QUICK]
    assert command(*run)[0] == 0
    [folder] = folders()
    record = read_record(folder)
    code, _, err = command(*run, "overwrite=true", "trainer.accelerator=gpu")
    if code == 0:
        pytest.skip("has a GPU")
    assert "gpu" in err.lower()
    after = read_record(folder)
    assert (after.status, after.weights_sha256) == ("finished", record.weights_sha256)
    assert (folder / "tagger" / "tagger.json").exists()


def test_an_error_of_the_system_without_a_file_is_shown_as_it_is(command, monkeypatch):
    def fail(*_):
        raise OSError("We couldn't connect")

    monkeypatch.setattr("mtl_bench.training.build.assemble", fail)
    code, _, err = command("main=syn_pos", *QUICK)
    assert code == 1
    assert "OSError: We couldn't connect" in err
    assert "None" not in err.splitlines()[-1]


def test_vectors_of_ones_own_change_the_run_if_their_numbers_change(command, own_task):
    own_task()
    own = ["main=mine", *QUICK, "embeddings=file", "embeddings.file=v.txt", "embeddings.dim=2"]
    Path("v.txt").write_text("the 1 2\nman 3 4\n")
    assert command(*own)[0] == 0
    vectors = read_record(folders()[0]).inputs
    assert (vectors["file"], vectors["rows"], vectors["fitted_rows"]) == ("v.txt", 5, 0)
    Path("v.txt").write_text("the 1 2\nman 3 5\n")
    code, _, err = command(*own)
    assert code == 2
    assert "checksums.embeddings" in err


def test_experiments_of_one_sweep_stay_apart(command):
    both = ("main=syn_pos", "sweep_name=both", "steps_per_task=20", "callbacks.progress=false")
    assert command(*both)[0] == 0
    assert command(*both, "experiment=demo")[0] == 0
    names = [str(folder.relative_to("multirun_outputs/both/syn_pos")) for folder in folders()]
    assert names == ["experiment=demo/seed0", "seed0"]


@pytest.mark.parametrize("keep_checkpoint", ["true", "false"])
def test_weights_that_are_asked_for_later_are_those_of_the_run(command, keep_checkpoint):
    quick = ["main=syn_pos", *QUICK, f"keep_checkpoint={keep_checkpoint}"]
    assert command(*quick, "save_weights=false")[0] == 0
    (folder,) = folders()
    before = read_record(folder)
    assert not (folder / "tagger").exists()
    code, _, err = command(*quick)  # a single run keeps its tagger by default
    assert code == 0, err
    assert (folder / "tagger").is_dir()
    after = read_record(folder)
    assert after.weights_sha256 == before.weights_sha256
    assert after.tasks == before.tasks
    assert "finished before" in command(*quick)[1]


def test_a_single_run_may_be_asked_for_in_three_ways(command):
    for aux in ("aux=[]", "aux=null", "aux=syn_pos"):
        assert command("main=syn_pos", aux, *QUICK)[0] == 0
    assert [folder.parts[2] for folder in folders()] == ["syn_pos"]


def test_folders_tell_apart_what_their_names_cannot_hold(command):
    names = {variant_name([f"optimizer.note={value}"]) for value in ("a/b", "a b", "a_b")}
    assert len(names) == 3
    assert command("main=syn_pos", *QUICK, "++seed=3", "tasks.syn_pos.title='a/b'")[0] == 0
    assert Path("multirun_outputs/default/syn_pos/debug=quick/seed3/record.json").exists()


def test_weighted_draws_keep_directed_pairs_apart(command):
    for main, aux in (("syn_pos", "syn_key"), ("syn_key", "syn_pos")):
        assert command(f"main={main}", f"aux={aux}", *QUICK, "sampler=weighted")[0] == 0
    assert len(folders()) == 2
    assert losses(folders()[0]) != losses(folders()[1])


def test_eacl2017_reads_and_evaluates_as_the_paper(command):
    code, _, err = command(
        "experiment=eacl2017", "embeddings=random", "main=syn_mwe", "steps_per_task=10",
        "callbacks.progress=false", "trainer.val_check_interval=5",
    )  # fmt: skip
    assert code == 0, err
    (folder,) = folders()
    assert folder.parts[1] == "eacl2017"
    record = read_record(folder)
    assert record.tasks["syn_mwe"].final_split == "test"
    assert record.config["data"]["max_length"] == 28
    assert {row.split for row in read_curve(folder)} == {"train", "test"}


@pytest.mark.slow
def test_a_sweep_trains_every_set_once_and_goes_on_after_a_failure(command, monkeypatch):
    code, _, err = command("main=syn_pos,syn_key", "aux=syn_pos,syn_key", *QUICK, "-m")
    assert code == 0, err
    assert [folder.parts[2] for folder in folders()] == ["syn_key", "syn_key+syn_pos", "syn_pos"]
    code, _, err = command("-m", "main=syn_pos,syn_key", *QUICK, "data.batch_size=150")
    assert code == 2
    failed, finished = "syn_pos", "syn_key"
    states = {f.parts[2]: read_record(f).status for f in folders() if "batch" in str(f)}
    assert states == {failed: "failed", finished: "finished"}, err
    assert "1 run is not finished" in err
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")  # shows more, and says no less
    code, _, err = command("main=syn_pos,syn_key", *QUICK, "data.batch_size=150", "-m")
    assert code == 2
    assert "1 run is not finished" in err


DIVERGES = ["optimizer=sgd", "optimizer.lr=3e38"]


def test_a_failure_is_recorded_with_its_traceback_and_tried_again(command):
    assert command("main=syn_pos", *QUICK, *DIVERGES)[0] == 1
    record = read_record(folders()[0])
    assert record.status == "failed"
    assert record.error.type == "FloatingPointError"
    assert "optimizer.lr" in record.error.message
    assert "Traceback" in record.error.traceback
    assert command("main=syn_pos", *QUICK, *DIVERGES)[0] == 1


def test_every_logger_gets_the_curve(command):
    loggers = "logger=[wandb,csv,tensorboard]"
    code, _, err = command("main=syn_pos", "aux=syn_key", *QUICK, loggers)
    assert code == 0, err
    (folder,) = folders()
    metrics = (folder / "csv/metrics.csv").read_text()
    for name in ("train/loss/syn_pos", "val/f1/syn_key", "final/f1/syn_pos"):
        assert name in metrics
    assert list((folder / "tensorboard").glob("events*"))


@pytest.mark.slow
def test_wandb_runs_can_be_read_back(command):
    # Two runs of one process must not merge into one.
    assert command("-m", "main=syn_pos", "aux=syn_pos,syn_key", *QUICK, "logger=wandb")[0] == 0
    found = {}
    for file in Path("multirun_outputs").rglob("*.wandb"):
        inspect = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(file)]
        lines = subprocess.run(inspect, capture_output=True, text=True, check=True, timeout=120)
        records = [json.loads(line) for line in lines.stdout.splitlines()]
        found[file.parts[2]] = records
    assert set(found) == {"syn_pos", "syn_key+syn_pos"}
    for name, job_type in (("syn_pos", "single"), ("syn_key+syn_pos", "pair")):
        text = json.dumps(found[name])
        for part in ("mtl_bench", f"{name}/debug=quick/seed0", job_type, "main:syn_pos"):
            assert part in text
        assert "optimizer" in text
        for metric in ("train/loss/syn_pos", "val/f1/syn_pos", "final/f1/syn_pos"):
            assert metric in text
    assert "aux:syn_key" in json.dumps(found["syn_key+syn_pos"])
    assert "loss/syn_key" not in json.dumps(found["syn_pos"])


def test_show_prints_a_record_and_finds_runs_below(command, capfd):
    assert command("main=syn_pos", *QUICK)[0] == 0
    (folder,) = folders()
    assert mtl_bench(["show", str(folder)]) == 0
    shown = capfd.readouterr().out
    for part in ("syn_pos", "finished", "budget of 20 per task", "label_entropy"):
        assert part in shown
    assert mtl_bench(["show", "multirun_outputs"]) == 2
    assert str(folder) in capfd.readouterr().err
    record = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(record)[:100])
    assert mtl_bench(["show", str(folder)]) == 2
    assert "is damaged" in capfd.readouterr().err


def test_tasks_are_listed(capsys):
    assert mtl_bench(["tasks"]) == 0
    assert "syn_chu" in capsys.readouterr().out


def test_fetch_names_unknown_tasks(capsys):
    assert mtl_bench(["fetch", "xyz"]) == 2
    assert "there is no task 'xyz'" in capsys.readouterr().err


def test_fetch_checks_what_a_mirror_holds(mirror, capsys):
    assert mtl_bench(["fetch", "chu", "pos"]) == 0
    assert capsys.readouterr().out == f"chu: {mirror}\npos: {mirror}\n"


def test_the_reference_is_a_table_of_directed_pairs(capsys):
    assert mtl_bench(["reference"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "main,aux,help"
    assert len(lines) == 1 + 90
