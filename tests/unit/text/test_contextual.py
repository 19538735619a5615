"""Options of a pretrained transformer's states, and that to plan with them loads no model."""

import json
import subprocess
import sys

import pytest

from mtl_bench.text.contextual import ContextualStates, SubwordEmbeddings
from tests import tiny_models
from tests.conftest import REPOSITORY

HEAVY = ("torch", "transformers", "tokenizers", "pytorch_lightning")
REPORT = f"""
import json, sys
loaded = [name for name in {HEAVY} if name in sys.modules]
print("loaded:", json.dumps(loaded))
"""


def loaded(code):
    """Return which large packages a program has imported at its end."""
    done = subprocess.run([sys.executable, "-c", code + REPORT], capture_output=True, text=True)
    assert "loaded:" in done.stdout, done.stderr
    return json.loads(done.stdout.rpartition("loaded:")[2])


def test_words_and_models_are_described_without_torch(tmp_path):
    tiny_models.save_model(tmp_path / "model")
    code = f"""
import pkgutil, importlib, mtl_bench.text
for module in pkgutil.iter_modules(mtl_bench.text.__path__):
    importlib.import_module(f"mtl_bench.text.{{module.name}}")
from mtl_bench.text.contextual import ContextualStates
states = ContextualStates({str(tmp_path / "model")!r}, "last_2")
assert states.is_here() and states.checksum()
"""
    assert loaded(code) == []


@pytest.mark.parametrize(
    "choice",
    [["embeddings=contextual", "embeddings.layers=last_2"], ["encoder=transformer"]],
    ids=lambda choice: choice[0],
)
def test_a_sweep_is_planned_without_what_reads_models(choice, tmp_path):
    tiny_models.save_model(tmp_path / "model")
    # torch, by the class of the encoder, whose options are checked.
    code = f"""
import runpy, sys
sys.argv = ["train.py", "-m", "dry_run=true", "main=syn_pos,syn_chu", *{choice!r},
            "embeddings.model={tmp_path / "model"}"]
try:
    runpy.run_path({str(REPOSITORY / "train.py")!r}, run_name="__main__")
except SystemExit as stop:
    assert not stop.code
"""
    assert loaded(code) == ["torch"]


@pytest.mark.parametrize("layers", ["last_1", "last_12", "0", "3", 7])
def test_layers_are_the_last_ones_or_a_number(layers):
    assert ContextualStates("owner/name", layers).layers == str(layers)


@pytest.mark.parametrize("layers", ["last_0", "last", "-1", -1, "last_", True, None, "1.5", ""])
def test_other_layers_are_refused(layers):
    with pytest.raises(ValueError, match=r"layers is .*; it is last_<n> or the number of a layer"):
        ContextualStates("owner/name", layers)


def test_every_word_has_a_vector():
    assert SubwordEmbeddings("owner/name").with_vector([])("anything")
