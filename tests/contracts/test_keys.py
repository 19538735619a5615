"""Every key of the configuration: it stays, and a value of the wrong kind is answered by name."""

import json
import re
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from mtl_bench.config.mistakes.kinds import is_of_kind
from mtl_bench.config.mistakes.options import CLASS_GROUPS
from mtl_bench.config.mistakes.overrides import check_overrides, hint_of
from mtl_bench.config.tasks import conf_folder
from mtl_bench.errors import UserError
from tests.conftest import compose_train

SNAPSHOT = Path(__file__).with_name("keys.json")
WRONG = {
    "text": "abc",
    "null": "null",
    "number": "-3",
    "list": "[1,2]",
    "empty": "",
    "fraction": "0.5",
    "map": "{a: 1}",
}


def leaves(node, prefix=""):
    """Yield the dotted keys of a composed configuration."""
    for key in node:
        path = f"{prefix}{key}"
        child = node._get_node(key)
        if OmegaConf.is_dict(child) and len(child):
            yield from leaves(child, f"{path}.")
        elif not str(key).startswith("_"):
            yield path


def keys_of(*choices):
    """Return the keys of a pair run with W&B, tasks as `<name>`."""
    cfg = compose_train("main=syn_chu", "logger=wandb", *choices)
    return {key.replace("tasks.syn_chu.", "tasks.<name>.") for key in leaves(cfg)}


def composed_keys():
    """Return the keys of a run by default, and by choice those that it adds."""
    default = keys_of()
    choices = [
        f"{group}={file.stem}"
        for group in CLASS_GROUPS
        for file in sorted((conf_folder() / group).glob("*.yaml"))
    ]
    added = {choice: sorted(keys_of(choice) - default) for choice in choices}
    return {"": sorted(default), **{choice: keys for choice, keys in added.items() if keys}}


def test_no_key_that_people_script_against_vanishes():
    """After a deliberate change: `python -m tests.contracts.test_keys`."""
    assert composed_keys() == json.loads(SNAPSHOT.read_text())


TYPED = [
    (choice, key)
    for choice, keys in json.loads(SNAPSHOT.read_text()).items()
    for key in keys
    if not key.startswith(("tasks.", "aux."))
]


@pytest.mark.parametrize("key", [key for _, key in TYPED if hint_of(key) and key != "main"])
def test_arguments_are_checked_before_anything_is_composed(key):
    hint = hint_of(key)
    for value in WRONG.values():
        read = OverridesParser.create().parse_override(f"x={value}").value()
        if is_of_kind(hint, read):
            check_overrides([f"{key}={value}"], multirun=False, tasks=[])
        else:
            with pytest.raises(UserError, match=rf"^{re.escape(key)}: .* is not "):
                check_overrides([f"{key}={value}"], multirun=False, tasks=[])


COMPANIONS = {"embeddings=subwords": ["encoder=transformer", "optimizer=adamw"]}
"""Choices without which another one cannot be."""


@pytest.mark.slow
@pytest.mark.parametrize(("choice", "key"), TYPED)
def test_a_wrong_value_is_answered_by_the_key_that_was_typed(choice, key, command):
    choices = ["logger=wandb"] if key.startswith("logger.") else [choice] if choice else []
    choices += COMPANIONS.get(choice, [])
    for kind, value in WRONG.items():
        code, _, err = command("main=syn_pos", "dry_run=true", *choices, f"{key}={value}")
        assert "Traceback" not in err, (key, kind)
        assert code in (0, 2), (key, kind, err)
        if code == 2:
            group, _, name = key.rpartition(".")
            # Where a file is missing, the key that names it is told.
            missing = f"{group}.file: " if group == "embeddings" else key
            assert any(each in err for each in (key, f"{group}: {name} is", missing)), (kind, err)


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(composed_keys(), indent=1) + "\n")
