"""A pretrained model is found in a folder or in the hub's cache, read whole, and runs no code."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import huggingface_hub.constants
import pytest

from mtl_bench.errors import UserError
from mtl_bench.models import pretrained
from mtl_bench.text.hub import PretrainedModel, quiet_transformers
from mtl_bench.text.model_files import files_of
from tests import tiny_models

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "someone/tiny-model"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "bert"
    tiny_models.save_model(folder)
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A copy of a model's folder, to damage."""
    return Path(shutil.copytree(original, tmp_path / "model"))


@pytest.fixture
def hub(folder, tmp_path, monkeypatch):
    """The model in the hub's cache, as its package lays it out; there is no network."""
    repository = tmp_path / "hub" / "models--someone--tiny-model"
    snapshot = repository / "snapshots" / COMMIT
    snapshot.parent.mkdir(parents=True)
    (repository / "blobs").mkdir()
    (repository / "refs").mkdir()
    for revision in ("main", "v1"):
        (repository / "refs" / revision).write_text(COMMIT)
    snapshot.mkdir()
    for number, file in enumerate(folder.iterdir()):
        file.rename(repository / "blobs" / str(number))
        (snapshot / file.name).symlink_to(Path("../../blobs") / str(number))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return snapshot


def refused(name, part="folder"):
    """The error of a model of which a part is asked for."""
    with pytest.raises(UserError) as error:
        model = PretrainedModel(str(name))
        {
            "folder": lambda: model.folder,
            "subwords": model.subwords,
            "model": lambda: pretrained.load(model),
        }[part]()
    return str(error.value)


def test_a_folder_is_read(folder):
    model = PretrainedModel(str(folder))
    assert model.is_here()
    assert model.folder == folder
    assert model.config["hidden_size"] == 16
    assert model.subwords().size == 39
    assert pretrained.load(model).config.num_hidden_layers == 2
    assert repr(model) == f"PretrainedModel('{folder}')"


def test_a_folder_may_be_below_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert PretrainedModel("~/model").folder == folder


@pytest.mark.parametrize("name", [NAME, f"{NAME}@main", f"{NAME}@v1", f"{NAME}@{COMMIT}"])
def test_a_name_of_the_hub_is_found_in_its_cache(name, hub):
    model = PretrainedModel(name)
    assert model.is_here()
    assert model.folder == hub
    assert len(model.checksum()) == 64


def test_the_hub_s_own_variables_say_where_its_cache_is(hub):
    code = f"from mtl_bench.text.hub import *; print(PretrainedModel({NAME!r}).folder)"
    variables = {"HF_HOME": str(hub.parents[3]), "HF_HUB_OFFLINE": "1"}
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | variables
    )
    assert output.stdout.strip() == str(hub), output.stderr


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_snapshot_that_lacks_a_file_is_not_here(file, hub):
    (hub / file).unlink()
    assert not PretrainedModel(NAME).is_here()
    assert str(NAME) in refused(NAME)


def test_a_snapshot_that_lacks_one_of_several_files_of_weights_is_not_here(hub):
    (hub / "model.safetensors").rename(hub / "model-00001-of-00002.safetensors")
    files = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (hub / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    assert not PretrainedModel(NAME).is_here()
    assert "model-00002-of-00002.safetensors is missing" in refused(NAME)
    (hub / files["b"]).symlink_to(hub / files["a"])
    assert PretrainedModel(NAME).is_here()


def test_what_is_not_here_cannot_be_had_without_network(hub):
    assert not PretrainedModel("someone/else").is_here()
    assert not PretrainedModel(f"{NAME}@v2").is_here()
    text = refused("someone/else")
    assert "'someone/else' is no folder here, and cannot be had from the Hugging Face hub" in text
    assert "Check the name and the network, or give a folder." in text


def test_a_hub_that_does_not_answer_is_told(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be had from the Hugging Face hub" in refused("someone/else")
    assert PretrainedModel(NAME).folder == hub  # nobody is asked for what is here


@pytest.mark.parametrize("name", ["models/missing", "a--b", "x" * 100])
def test_what_is_no_name_of_the_hub_is_told(name, hub):
    assert "cannot be had from the Hugging Face hub" in refused(name)
    assert not PretrainedModel(name).is_here()


@pytest.mark.parametrize("name", ["./missing", "../missing", "/missing", "a/b/c", "-a/b"])
def test_what_can_only_be_a_folder_is_not_asked_for(name, hub):
    assert f"'{name}' is no folder. Give the folder of a model" in refused(name)


@pytest.mark.parametrize("name", ["", " ", None, 3])
def test_a_model_has_a_name(name):
    with pytest.raises(ValueError, match="it is a folder, or owner/name of a model"):
        PretrainedModel(name)


def test_what_a_folder_lacks_is_named(folder):
    (folder / "tokenizer.json").unlink()
    assert f"has no tokenizer in {folder}" in refused(folder)
    (folder / "model.safetensors").unlink()
    assert "has no weights as .safetensors" in refused(folder)
    (folder / "model.safetensors.index.json").write_text("[]")
    assert "model.safetensors.index.json cannot be read" in refused(folder)
    (folder / "config.json").unlink()
    assert "has no config.json" in refused(folder)


@pytest.mark.parametrize("content", ["{", "[]", "\ufeff{}", "null"])
def test_a_damaged_configuration_is_named(content, folder):
    (folder / "config.json").write_text(content)
    with pytest.raises(UserError, match=r"config\.json: is damaged"):
        _ = PretrainedModel(str(folder)).config


@pytest.mark.parametrize(
    ("file", "part"), [("model.safetensors", "model"), ("tokenizer.json", "subwords")]
)
def test_damaged_files_are_told(file, part, folder):
    (folder / file).write_bytes((folder / file).read_bytes()[:100])
    name = {"model": "the model", "subwords": "the tokenizer"}[part]
    assert f"{name} of '{folder}' cannot be loaded: " in refused(folder, part)


class Harmful:
    def __reduce__(self):
        return (Path.touch, (Path("unpickled"),))


def test_pickled_weights_are_not_read(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Harmful()))
    for part in ("folder", "subwords", "model"):
        assert "Other formats can hold code, and are not loaded" in refused(folder, part)
    assert not Path("unpickled").exists()


def test_code_that_comes_with_a_model_is_not_run(folder):
    (folder / "own.py").write_text("from pathlib import Path\nPath('was_run').touch()\n")
    config = json.loads((folder / "config.json").read_text())
    names = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    own = config | {"model_type": "own", "auto_map": names}
    (folder / "config.json").write_text(json.dumps(own))
    text = refused(folder, "model")
    assert "comes with code of its own, which is not run" in text
    assert "trust_remote_code" not in text
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": names}))
    assert pretrained.load(PretrainedModel(str(folder)))  # transformers has code for it
    tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
    tokenizer |= {"auto_map": {"AutoTokenizer": ["own.Slow", None]}, "tokenizer_class": "Slow"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    PretrainedModel(str(folder)).subwords()
    assert not Path("was_run").exists()


def test_a_model_of_unknown_kind_is_told(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "own"}))
    assert f"the model of '{folder}' cannot be loaded" in refused(folder, "model")


def test_a_slow_tokenizer_is_refused(folder):
    for file in folder.glob("tokenizer*"):
        file.unlink()
    (folder / "vocab.json").write_text(json.dumps({"<unk>": 0, "a</w>": 1}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "CTRLTokenizer"}')
    assert "is none that `transformers` calls fast" in refused(folder, "subwords")


def test_a_model_that_has_no_place_for_a_word_is_refused(tmp_path):
    tiny_models.save_model(tmp_path, max_position_embeddings=3)
    assert "no word fits" in refused(tmp_path, "subwords")


def test_weights_that_would_be_drawn_at_random_are_not(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    assert "lack the weights of encoder.layer.2" in refused(folder, "model")


def test_a_model_without_a_pooling_layer_is_whole(tmp_path):
    """It was trained on words; what would lie above its states is of no use here."""
    tiny_models.save_model(tmp_path, pooler=False)
    assert pretrained.load(PretrainedModel(str(tmp_path)))


def test_without_transformers_it_is_said_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert "pip install 'mtl-bench[transformers]'" in refused(folder)


def test_the_checksum_follows_what_is_read_and_not_where(folder, tmp_path):
    first = PretrainedModel(str(folder)).checksum()
    elsewhere = Path(shutil.copytree(folder, tmp_path / "elsewhere"))
    assert PretrainedModel(str(elsewhere)).checksum() == first
    sums = {first}
    for file in files_of(elsewhere):
        content = file.read_bytes()
        file.write_bytes(content + b" ")
        sums.add(PretrainedModel(str(elsewhere)).checksum())
        file.write_bytes(content)
    assert len(sums) == 1 + len(files_of(elsewhere)) == 5
    assert PretrainedModel(str(elsewhere)).checksum() == first


def test_files_of_other_programs_are_not_part_of_a_model(folder):
    first = PretrainedModel(str(folder)).checksum()
    for name in ("modules.json", "README.md", "vocab.txt", "pytorch_model.bin", "a.safetensors"):
        (folder / name).write_text("{}")
    assert PretrainedModel(str(folder)).checksum() == first


def test_transformers_is_as_talkative_afterwards_as_before(folder):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with quiet_transformers():
        assert not logging.is_progress_bar_enabled()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
