"""The folder of a trained tagger: what is kept comes back, and nothing else is made or run."""

import json
import stat
import sys
from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file

from mtl_bench.errors import UserError
from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.heads.tagging import TaggingHead
from mtl_bench.models.inputs.words import WordInput
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.weights import DESCRIPTION, Kept, load_taggers, save_tagger
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.labels import Labels
from mtl_bench.tasks.types.tagging import Tagging
from tests.unit.models._inputs import HEAD, tagging, word_input

ENCODER = partial(BiLSTM, hidden_size=6, forget_bias=1.0)
SENTENCES = [["W1", "never seen", "w2"], ["w3"]]


class OwnInput(WordInput):
    pass


class OwnEncoder(BiLSTM):
    pass


class OwnHead(TaggingHead):
    pass


class OwnType(Tagging):
    name = "own"


OWN = [OwnInput, OwnEncoder, OwnHead, OwnType]


def tagger(input_=None, encoder=ENCODER, tasks=None):
    torch.manual_seed(0)
    tasks = tasks or {"a": tagging(), "b": tagging()}
    return Tagger(input_ or word_input(), encoder, tasks, torch.optim.SGD).eval()


def test_what_only_the_training_loss_needs_is_not_saved(tmp_path):
    model = tagger()
    model.head("a").pad(30)
    save(tmp_path / "tagger", model)
    assert set(load_taggers(tmp_path / "tagger")[0]) == {"a", "b"}


def changed(model, by):
    """Return the weights of a model, all of them changed."""
    return {name: weight + by for name, weight in model.trained_weights().items()}


def save(folder, model=None, steps=None, main="a"):
    """Save a tagger whose tasks keep the weights of some steps, and return it."""
    model = model or tagger()
    steps = steps or dict.fromkeys(model.tasks, 0)
    kept = {task: Kept(step, changed(model, 0.1 * step)) for task, step in steps.items()}
    save_tagger(folder, model, kept, main)
    return model


def tag(model, task, sentences=SENTENCES):
    return model.tag([task], model.input.encode(sentences))[task].targets


def test_a_loaded_tagger_tags_raw_words_as_before(tmp_path):
    model = save(tmp_path / "tagger")
    loaded, main = load_taggers(tmp_path / "tagger")
    assert (main, list(loaded)) == ("a", ["a", "b"])
    for task in loaded:
        assert tag(loaded[task], task) == tag(model, task)
        assert [len(labels) for labels in tag(loaded[task], task)] == [3, 1]
        assert loaded[task].tasks[task].type == model.tasks[task].type
    assert tag(loaded["a"], "a", []) == []


def test_each_task_has_the_weights_that_it_kept(tmp_path):
    model = save(tmp_path / "tagger", steps={"a": 3, "b": 7})
    assert {path.name for path in (tmp_path / "tagger").iterdir()} == {
        *(DESCRIPTION, "step3.safetensors", "step7.safetensors"),
    }
    assert "heads.task_b.output.bias" not in load_file(tmp_path / "tagger" / "step3.safetensors")
    loaded, _ = load_taggers(tmp_path / "tagger")
    for task, step in (("a", 3), ("b", 7)):
        expected = changed(model, 0.1 * step)
        for name, weight in loaded[task].trained_weights().items():
            torch.testing.assert_close(weight, expected[name])


def test_tasks_that_keep_the_same_weights_share_a_tagger(tmp_path):
    save(tmp_path / "tagger", steps={"a": 3, "b": 3})
    loaded, _ = load_taggers(tmp_path / "tagger")
    assert loaded["a"] is loaded["b"]


def test_an_input_that_was_not_trained_is_shared_and_a_trained_one_is_not(tmp_path):
    save(tmp_path / "trained", steps={"a": 3, "b": 7})
    loaded, _ = load_taggers(tmp_path / "trained")
    assert loaded["a"].input is not loaded["b"].input

    frozen = FrozenInput(word_input().vocabulary, torch.randn(50, 4), lowercase=True)
    save(tmp_path / "frozen", tagger(frozen), steps={"a": 3, "b": 7})
    loaded, _ = load_taggers(tmp_path / "frozen", classes=[FrozenInput])
    assert loaded["a"].input is loaded["b"].input
    assert torch.equal(loaded["a"].input.table, frozen.table)


class FrozenInput(WordInput):
    """A table that is not trained."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.table.requires_grad_(False)


def test_weights_of_double_precision_are_not_rounded(tmp_path):
    model = save(tmp_path / "tagger", tagger().double())
    loaded = load_taggers(tmp_path / "tagger")[0]["a"]
    assert loaded.input.table.dtype == torch.float64
    assert torch.equal(loaded.input.table, model.input.table)


def test_labels_that_training_lacked_come_back_as_such(tmp_path):
    labels = Labels(["B-x", "O"], unseen=["I-x", "B_y"])
    save(tmp_path / "tagger", tagger(tasks={"a": Fitted(Tagging("O", "bio", head=HEAD), labels)}))
    loaded = load_taggers(tmp_path / "tagger")[0]["a"].tasks["a"].targets
    assert (loaded.names, loaded.unseen) == (labels.names, labels.unseen)


def test_others_may_read_what_they_may_read_of_a_run(tmp_path):
    save(tmp_path / "tagger")
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    expected = {kind: stat.S_IMODE((tmp_path / kind).stat().st_mode) for kind in ("file", "folder")}
    assert stat.S_IMODE((tmp_path / "tagger").stat().st_mode) == expected["folder"]
    for path in (tmp_path / "tagger").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == expected["file"]


def test_a_tagger_replaces_an_older_one(tmp_path):
    save(tmp_path / "tagger", steps={"a": 3, "b": 7})
    save(tmp_path / "tagger", steps={"a": 9, "b": 9}, main="b")
    assert {path.name for path in (tmp_path / "tagger").iterdir()} == {
        *(DESCRIPTION, "step9.safetensors"),
    }
    assert load_taggers(tmp_path / "tagger")[1] == "b"


def own_tagger():
    own = OwnInput(word_input().vocabulary, torch.randn(50, 4), lowercase=True)
    head = f"{__name__}.OwnHead"
    tasks = {"a": Fitted(OwnType("o", None, head=head), tagging().targets)}
    return tagger(own, partial(OwnEncoder, hidden_size=6, forget_bias=1.0), tasks)


def test_classes_of_ones_own_are_made_if_they_are_handed_over(tmp_path):
    model = save(tmp_path / "tagger", own_tagger())
    loaded = load_taggers(tmp_path / "tagger", classes=OWN)[0]["a"]
    assert tag(loaded, "a") == tag(model, "a")
    parts = (loaded.input, loaded.encoder, loaded.head("a"), loaded.tasks["a"].type)
    assert [type(part) for part in parts] == OWN


@pytest.mark.parametrize("missing", OWN)
def test_a_class_that_is_not_handed_over_is_named(tmp_path, missing):
    save(tmp_path / "tagger", own_tagger())
    others = [each for each in OWN if each is not missing]
    name = f"{__name__}.{missing.__name__}"
    with pytest.raises(UserError, match=rf"names {name}, which is no \w+ of this package") as error:
        load_taggers(tmp_path / "tagger", classes=others)
    assert f"--class {name}" in str(error.value)


def description(folder):
    return json.loads((folder / DESCRIPTION).read_text("utf-8"))


def rewrite(folder, change):
    content = description(folder)
    change(content)
    (folder / DESCRIPTION).write_text(json.dumps(content), "utf-8")


def entry_of(content, part):
    """Return the place of a class name in a description."""
    if part in ("type", "head"):
        return content["tasks"]["a"]["type"], "class" if part == "type" else "head"
    return content[part], "class"


FOREIGN = [
    "tripwire.Tripwire",
    "os.system",
    "subprocess.Popen",
    "builtins.eval",
    "torch.nn.Linear",
    "mtl_bench_other.Input",
    "mtl_bench.models.weights.torch.nn.Linear",
    "mtl_bench.models.weights.shutil.rmtree",
    "mtl_bench.models.weights.save_tagger",
    "mtl_bench.models.tagger.Tagger",
    "mtl_bench.no_such.Thing",
    "mtl_bench..models",
    "../tripwire.Tripwire",
    "",
]


@pytest.mark.parametrize("part", ["input", "encoder", "type", "head"])
def test_foreign_classes_are_neither_made_nor_imported(tmp_path, monkeypatch, part):
    (tmp_path / "tripwire.py").write_text("raise SystemExit('this code was run')")
    monkeypatch.syspath_prepend(tmp_path)
    save(tmp_path / "tagger")
    for name in FOREIGN:

        def change(content, name=name):
            place, key = entry_of(content, part)
            place[key] = name

        rewrite(tmp_path / "tagger", change)
        with pytest.raises(UserError, match="of this package, and is not loaded"):
            load_taggers(tmp_path / "tagger")
        assert "tripwire" not in sys.modules


@pytest.mark.parametrize("part", ["input", "encoder", "type", "head"])
def test_a_class_stands_for_its_own_kind_only(tmp_path, part):
    save(tmp_path / "tagger")
    others = {
        "input": "mtl_bench.models.encoders.bilstm.BiLSTM",
        "encoder": "mtl_bench.models.inputs.words.WordInput",
        "type": HEAD,
        "head": "mtl_bench.tasks.types.tagging.Tagging",
    }

    def change(content):
        place, key = entry_of(content, part)
        place[key] = others[part]

    rewrite(tmp_path / "tagger", change)
    with pytest.raises(UserError, match="which is no"):
        load_taggers(tmp_path / "tagger")


@pytest.mark.parametrize(
    "name",
    ["../x.safetensors", "/x.safetensors", "x.safetensors", "step1.pt", "a/step0.safetensors", ""],
)
def test_weights_lie_beside_the_description(tmp_path, name):
    save(tmp_path / "tagger")
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    rewrite(tmp_path / "tagger", lambda content: content["tasks"]["a"].update(weights=name))
    with pytest.raises(UserError, match=r"is damaged .*the weights of task 'a' are"):
        load_taggers(tmp_path / "tagger")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"format": 1}',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"format": 1, "main": "a", "tasks": []}',
        b'{"format": 1, "main": "a", "tasks": {}}',
        b'{"format": 1, "main": "a", "tasks": {"a": {}}}',
        b'{"format": 1, "main": "a", "tasks": {"a": {"weights": 3}}}',
    ],
)
def test_a_damaged_description_is_named(tmp_path, content):
    save(tmp_path / "tagger")
    (tmp_path / "tagger" / DESCRIPTION).write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        load_taggers(tmp_path / "tagger")


def test_every_part_of_a_description_is_needed(tmp_path):
    save(tmp_path / "tagger")
    whole = description(tmp_path / "tagger")

    def parts(node, path=()):
        for key, value in node.items():
            yield (*path, key)
            if isinstance(value, dict):
                yield from parts(value, (*path, key))

    optional = {
        ("tasks", task, "type", key) for task in "ab" for key in ("outside", "spans", "decoding")
    }
    for path in set(parts(whole)) - optional:
        content = json.loads(json.dumps(whole))
        node = content
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        if path == ("tasks", "b"):  # then it is a tagger of one task, whose weights have two heads
            continue
        (tmp_path / "tagger" / DESCRIPTION).write_text(json.dumps(content))
        with pytest.raises(UserError):
            load_taggers(tmp_path / "tagger")


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_weights_that_are_cut_short_are_damaged(tmp_path, keep):
    save(tmp_path / "tagger")
    path = tmp_path / "tagger" / "step0.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"is damaged .*overwrite=true save_weights=true"):
        load_taggers(tmp_path / "tagger")


def test_weights_of_another_shape_name_or_kind_are_damaged(tmp_path):
    save(tmp_path / "tagger")
    path = tmp_path / "tagger" / "step0.safetensors"
    # Copies: older safetensors map the file, which is overwritten below.
    weights = {name: weight.clone() for name, weight in load_file(path).items()}
    for others in (
        {**weights, "input.table": torch.zeros(2, 4)},
        {name: weight for name, weight in weights.items() if name != "input.table"},
        {**weights, "input.other": torch.zeros(2)},
        {},
    ):
        save_file(others, path)
        with pytest.raises(UserError, match="is damaged"):
            load_taggers(tmp_path / "tagger")


def test_pickled_weights_are_never_read(tmp_path):
    class Tripwire:
        def __reduce__(self):
            return sys.exit, ("this code was run",)

    save(tmp_path / "tagger")
    torch.save({"input.table": Tripwire()}, tmp_path / "tagger" / "step0.safetensors")
    with pytest.raises(UserError, match="is damaged"):
        load_taggers(tmp_path / "tagger")


def test_a_missing_file_is_named(tmp_path):
    save(tmp_path / "tagger")
    (tmp_path / "tagger" / "step0.safetensors").unlink()
    with pytest.raises(UserError, match=r"step0\.safetensors: is missing"):
        load_taggers(tmp_path / "tagger")
    (tmp_path / "tagger" / DESCRIPTION).unlink()
    with pytest.raises(UserError, match=r"tagger\.json: is missing"):
        load_taggers(tmp_path / "tagger")
    (tmp_path / "tagger" / DESCRIPTION).mkdir()
    with pytest.raises(UserError, match=r"tagger\.json: cannot be read"):
        load_taggers(tmp_path / "tagger")


def test_another_format_is_refused(tmp_path):
    save(tmp_path / "tagger")
    rewrite(tmp_path / "tagger", lambda content: content.update(format=99))
    with pytest.raises(UserError, match="has format 99; this program reads 1"):
        load_taggers(tmp_path / "tagger")
