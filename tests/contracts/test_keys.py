"""Every key of the configuration: it stays, and a value of the wrong kind is answered by name."""

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tests.conftest import compose_train

SNAPSHOT = Path(__file__).with_name("keys.json")
FAST = {"text": "abc"}
SLOW = {
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


def composed_keys():
    """Return the keys of a pair run with W&B, tasks as `<name>`."""
    cfg = compose_train("main=syn_chu", "logger=wandb")
    return sorted({key.replace("tasks.syn_chu.", "tasks.<name>.") for key in leaves(cfg)})


def test_no_key_that_people_script_against_vanishes():
    """After a deliberate change: `python -m tests.contracts.test_keys`."""
    assert composed_keys() == json.loads(SNAPSHOT.read_text())


TYPED = [key for key in json.loads(SNAPSHOT.read_text()) if not key.startswith(("tasks.", "aux."))]


@pytest.mark.parametrize("key", TYPED)
@pytest.mark.parametrize("values", [FAST, pytest.param(SLOW, marks=pytest.mark.slow)])
def test_a_wrong_value_is_answered_by_the_key_that_was_typed(key, values, command):
    logger = ["logger=wandb"] if key.startswith("logger.") else []
    for kind, value in values.items():
        code, _, err = command("main=syn_pos", "dry_run=true", *logger, f"{key}={value}")
        assert "Traceback" not in err, (key, kind)
        assert code in (0, 2), (key, kind, err)
        if code == 2:
            group, _, name = key.rpartition(".")
            assert key in err or f"{group}: {name} is" in err, (kind, err)
        else:
            assert "not" not in err, (key, kind, err)


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(composed_keys(), indent=1) + "\n")
