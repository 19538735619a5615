"""A task type of one's own on the command line: trained, recorded, ranked and drawn."""

import json
import re
from pathlib import Path

import pytest

import mtl_bench
from mtl_bench.__main__ import main
from mtl_bench.runs.record_reading import read_record
from tests.unit.tasks.test_own_type import MODULE

YAML = f"""
title: How many cats
type: {{_target_: {MODULE}.Number, head: {MODULE}.NumberHead}}
reader: {{_target_: {MODULE}.NumberReader}}
splits: {{train: {{file: train.txt}}, test: {{file: test.txt}}}}
"""
SWEEP = ["-m", "main=cats,syn_pos", "aux=cats,syn_pos", "hydra/launcher=basic", "steps_per_task=20"]


@pytest.fixture
def sweep(tmp_path, monkeypatch, command):
    """A finished sweep over sentences whose number is how often they say cat, and a tagging task."""
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "cats.yaml").write_text(YAML)
    lines = [f"{n % 5}\t" + "cat " * (n % 5) + f"dog bird{n % 7} fish" for n in range(90)]
    (folder / "train.txt").write_text("\n".join(lines))
    (folder / "test.txt").write_text("\n".join(line.replace("dog", "cow dog") for line in lines))
    monkeypatch.setenv("MTL_BENCH_TASKS", str(folder))
    code, out, err = command(*SWEEP, "callbacks.progress=false")
    assert code == 0, err
    return out


def test_a_task_of_another_type_is_trained_recorded_ranked_and_drawn(sweep, capfd):
    record = read_record(Path("multirun_outputs/default/cats+syn_pos/seed0"))
    task = record.tasks["cats"]
    assert (task.type, task.primary) == ("number", "mae")
    assert not task.metrics["mae"].higher_is_better
    assert 0 < task.final["mae"] < 5

    gains = mtl_bench.open_sweep("default").gains().set_index("main")
    single, pair = gains.loc["cats", ["single", "pair"]]
    assert gains.loc["cats", "gain_percent"] == pytest.approx(100 * (single - pair) / single)

    main(["gains", "default"])
    assert "cats" in capfd.readouterr().out
    assert "mean absolute error" in sweep

    page = Path("multirun_outputs/default/report/index.html").read_text()
    assert "mean absolute error" in page
    [name] = set(re.findall(r"figures/(curves_cats[\w.]*svg)", page)) or {"curves_cats.svg"}
    assert (Path("multirun_outputs/default/report/figures") / name).exists()

    main(["check", "cats"])
    assert "Largest number: 4." in capfd.readouterr().out


def test_its_tagger_is_used_with_the_classes_that_are_handed_over(sweep, command, capfd):
    options = ["main=cats", "aux=syn_pos", "steps_per_task=20", "callbacks.progress=false"]
    assert command(*options)[0] == 0
    folder = "multirun_outputs/default/cats+syn_pos/seed0"
    own = ["--class", f"{MODULE}.Number", "--class", f"{MODULE}.NumberHead"]
    Path("sentences.txt").write_text("cat cat dog\n\nbird1 fish\n")

    assert main(["tag", folder, "sentences.txt", "--output", "jsonl"]) == 2
    assert f"names {MODULE}.Number" in capfd.readouterr().err
    assert main(["tag", folder, "sentences.txt", *own]) == 2
    assert "task 'cats' has one target a sentence" in capfd.readouterr().err
    assert main(["tag", folder, "sentences.txt", *own, "--output", "jsonl", "--task", "all"]) == 0
    first, empty, _ = map(json.loads, capfd.readouterr().out.splitlines())
    assert list(first) == ["words", "cats", "syn_pos"]
    assert isinstance(first["cats"], float)
    assert empty == {"words": [], "cats": None, "syn_pos": []}

    test = ["tasks/test.txt", "--reader", "cats", "--json"]
    assert main(["evaluate", folder, *test, *own]) == 0
    metrics = json.loads(capfd.readouterr().out)["metrics"]
    assert metrics == read_record(Path(folder)).tasks["cats"].final
