"""Commands from bug reports: each trains, or is answered with what to type."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtl_bench.__main__ import main
from tests.field.files import sentences, write

REPOSITORY = Path(__file__).parents[2]
READER = "mtl_bench.tasks.readers.columns.ColumnReader"
VECTORS = "".join(f"{word} 1 2 3 {n}\n" for n, word in enumerate(("le", "suit", "ici", "gent")))
QUICK = ["main=plain", "data.batch_size=4", "debug=quick"]


@pytest.fixture(autouse=True)
def plain(tmp_path, monkeypatch):
    """The task `plain` in the folder where commands are typed."""
    write(tmp_path / "train.tsv", sentences(12))
    write(tmp_path / "test.tsv", sentences(6, first=12))
    (tmp_path / "plain.yaml").write_text(
        f"title: plain\nreader: {{_target_: {READER}, word: 1, label: 2, separator: tab}}\n"
        "splits: {train: {file: train.tsv}, test: {file: test.tsv}}\noutside: O\nspans: bio\n"
    )
    monkeypatch.setenv("MTL_BENCH_TASKS", ".")


def records():
    return sorted(Path("multirun_outputs").rglob("record.json"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trainer.max_steps=1e3"], ["trainer.max_steps: '1000.0' is not a whole number"]),
        (["trainer.max_steps=ten"], ["trainer.max_steps: 'ten' is not a whole number"]),
        (["trainer.max_steps=-1"], ["trainer.max_steps is -1; allowed is: at least 1"]),
        (["trainer.max_steps=0"], ["trainer.max_steps is 0; allowed is: at least 1"]),
        (["-m", "trainer.val_check_interval=0"], ["trainer.val_check_interval is 0"]),
        (["trainer.val_check_interval="], ["nothing is not a whole number"]),
        (["trainer.accelerator=tpu"], ["trainer.accelerator is 'tpu'; allowed is: cpu or gpu"]),
        (["embeddings.file=my vec=5.txt"], ["""'embeddings.file="my vec=5.txt"'"""]),
        (["+model.crf.use=true"], ["`model` has no key 'crf'", "Possible: model.hidden_size"]),
        (["++callbacks.early_stopping.patience=3"], ["no key 'early_stopping'"]),
        (["--config-dir", "mycfg", "optimizer=mine"], ["optimizer: add `_partial_: true`"]),
        (["optimizer=mine", "--config-dir", "mycfg"], ["optimizer: add `_partial_: true`"]),
        (["sweep_name="], ["sweep_name is empty"]),
        (["paths.output_dir="], ["paths.output_dir is empty"]),
        (["-m", "sweep_name="], ["sweep_name is"]),
        (["-m", "paths.output_dir="], ["paths.output_dir is"]),
        (["sweep_name=' '"], ["sweep_name is empty"]),
    ],
)
def test_mistakes_are_answered_and_leave_no_run(command, arguments, expected):
    Path("mycfg/optimizer").mkdir(parents=True)
    Path("mycfg/optimizer/mine.yaml").write_text("_target_: torch.optim.AdamW\nlr: 0.01\n")
    code, _, err = command(*QUICK, *arguments)
    assert code == 2, err
    for part in expected:
        assert part in err
    for part in (
        "Traceback",
        "Error executing job",
        "model.crf.",
        "Did you mean crf",
        "early_stopping.",
    ):
        assert part not in err
    assert records() == []
    assert not Path("multirun_outputs").exists() or not any(Path("multirun_outputs").iterdir())


def test_steps_written_as_a_float_are_refused_by_name(command):
    code, _, err = command(*QUICK, "steps_per_task=1e1")
    assert code == 2
    assert "steps_per_task: '10.0' is not a whole number" in err


def test_a_path_begins_where_the_command_was_typed(command, tmp_path):
    (tmp_path / "my vec=5.txt").write_text(VECTORS)
    file = 'embeddings.file="my vec=5.txt"'
    chdir = ["hydra.job.chdir=true", "embeddings=file", "embeddings.dim=4"]
    code, _, err = command(*QUICK, *chdir, file)
    assert code == 0, err
    assert "note: hydra.job.chdir has no effect" in err
    code, _, err = command(*QUICK, *chdir, "embeddings.file=absent.txt")
    assert code == 2
    assert f"there is no file 'absent.txt' (looked for in {tmp_path})" in err


def test_a_finished_run_refuses_what_a_new_one_does(command):
    assert command(*QUICK)[0] == 0
    for wrong in ("+data.batchsize=3", "trainer.devices=5", "callbacks.progress=maybe"):
        code, out, err = command(*QUICK, wrong)
        assert code == 2, out
        assert wrong.lstrip("+").partition("=")[0] in err
    [file] = records()
    file.write_text(file.read_text().replace('"finished"', '"failed"'))
    assert command(*QUICK, "trainer.devices=5")[0] == 2
    assert records() == [file]  # a failure before is kept


def test_the_counts_stand_in_the_output(command, tmp_path):
    (tmp_path / "cased.txt").write_text(VECTORS.title())
    vectors = ["embeddings=file", "embeddings.file=cased.txt", "embeddings.dim=4"]
    code, _, err = command(*QUICK, *vectors)
    assert code == 0, err
    assert "note: plain: train: sentences set aside as dev (data.dev_fraction): 1" in err
    assert "note: vectors: 0 of 25 different words have one (100.0% of all" in err
    assert (
        "note: cased.txt: 4 of 25 different words have a vector in another case only: type "
        "data.lowercase=false" in err
    )


def test_finished_runs_are_not_logged_again_and_that_is_said(command):
    assert command(*QUICK)[0] == 0
    code, out, _ = command(*QUICK, "logger=csv")
    assert code == 0
    assert "Finished runs are not logged again by csv: overwrite=true trains and logs anew" in out
    code, out, _ = command("-m", *QUICK, "logger=csv")
    assert "finished runs are not logged again" in out


def test_the_console_command_trains(capfd):
    with pytest.raises(SystemExit) as end:
        main(["train", *QUICK])
    assert not end.value.code, capfd.readouterr().err
    assert len(records()) == 1


@pytest.mark.slow
def test_a_wheel_trains_in_an_empty_folder(tmp_path):
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path / "dist"), str(REPOSITORY)]
    subprocess.run(wheel, check=True, capture_output=True)
    [file] = (tmp_path / "dist").glob("*.whl")
    target = tmp_path / "installed"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(file)], check=True)
    (tmp_path / "empty").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(target)}
    for begin in (["-m", "mtl_bench"], [str(target / "bin" / "mtl-bench")]):
        for arguments in (["main=syn_pos"], ["-m", "main=syn_pos", "aux=syn_key", "seed=0,1"]):
            command = [sys.executable, *begin, "train", *arguments, "debug=quick"]
            command += [f"sweep_name={Path(begin[-1]).name}"]
            end = subprocess.run(
                command, cwd=tmp_path / "empty", env=environment, capture_output=True, text=True
            )
            assert end.returncode == 0, end.stderr
    assert len(list((tmp_path / "empty").rglob("record.json"))) == 8
    where = [sys.executable, "-c", "import mtl_bench; print(mtl_bench.__file__)"]
    end = subprocess.run(where, cwd=tmp_path / "empty", env=environment, capture_output=True)
    assert str(target) in end.stdout.decode()


def test_a_sweep_is_named_and_a_run_in_progress_is_seen(command, capfd):
    from mtl_bench.runs.lock import lock

    assert command(*QUICK)[0] == 0
    begun = Path("multirun_outputs/default/syn_pos/seed0")
    begun.mkdir(parents=True)
    with lock(begun) as held:
        held._last = 0  # its last sign of life is old enough
        held.beat(7, 20)
        capfd.readouterr()
        assert main(["status", "default"]) == 0
    out = capfd.readouterr().out
    assert "2 runs: 1 finished" in out
    assert "syn_pos/seed0: step 7 of 20" in out


def test_a_sweep_without_a_finished_run_is_no_traceback(command, capfd):
    assert command(*QUICK)[0] == 0
    [file] = records()
    file.write_text(file.read_text().replace('"finished"', '"failed"'))
    for words in (["report"], ["study"], ["wandb", "study"]):
        capfd.readouterr()
        assert main([*words, "default"]) == 2
        assert "none of its 1 runs is finished" in capfd.readouterr().err


def test_the_name_of_a_sweep_is_answered(command, capfd):
    assert command(*QUICK, "sweep_name=mine")[0] == 0
    assert main(["gains", ""]) == 2
    assert "the name of the sweep is empty" in capfd.readouterr().err
    assert main(["status", "nosuch"]) == 2
    assert "Sweeps: multirun_outputs/mine." in capfd.readouterr().err


def test_no_gains_are_explained(command, capfd):
    assert command(*QUICK)[0] == 0
    assert main(["gains", "default"]) == 2
    assert "A gain takes a finished run of several tasks" in capfd.readouterr().err
    pair = ["main=plain", "aux=syn_pos", *QUICK[1:], "sweep_name=pair"]
    assert command(*pair)[0] == 0
    assert main(["gains", "pair", "--format", "json"]) == 2
    err = capfd.readouterr().err
    assert "plain alone is not finished" in err
    assert "python train.py main=plain" in err


def test_a_main_task_and_its_auxiliaries_are_enough(command, capfd):
    arguments = ["-m", "main=plain", "aux=syn_pos,[syn_pos,syn_mwe]", *QUICK[1:]]
    code, out, err = command(*arguments, "steps_per_task=3", "hydra/launcher=basic")
    assert code == 0, err
    assert "baselines plain alone, added" in out
    capfd.readouterr()
    assert main(["gains", "default"]) == 0
    out = capfd.readouterr().out
    assert "With several auxiliaries at once" in out
    assert main(["gains", "default", "--format", "json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert [(row["main"], row["aux"]) for row in rows] == [
        ("plain", "syn_mwe+syn_pos"),
        ("plain", "syn_pos"),
    ]
    assert all(row["metric"] == "f1" for row in rows)
    Path("default").mkdir()  # a folder of the same name hides no sweep
    assert main(["report", "default"]) == 0
    page = Path("multirun_outputs/default/report/index.html").read_text()
    assert '<h3><a href="#main-plain">plain</a></h3>' in page
    assert main(["gains", "default", "--metric", "span_f1"]) == 0
    assert "Gain of span F1" in capfd.readouterr().out
    assert main(["study", "default", "--metric", "accuracy"]) == 0
    content = json.loads(Path("multirun_outputs/default/study/study.json").read_text())
    assert (content["metric"], content["pairs"]) == ("accuracy", 1)
    assert "Features come from single runs; train those of syn_pos" in content["no_prediction"]
