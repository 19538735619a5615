"""Keys that came after the first records change a run's identity only where they change the run."""

import pytest

from mtl_bench.config.compose import compose_run
from mtl_bench.config.run_key import UNCHANGED, identity
from mtl_bench.config.schema import RunConfig

PAIR = ("main=syn_chu", "aux=syn_pos")
SUMS = {name: {} for name in ("embeddings", "syn_chu", "syn_pos")}
CHANGES = {
    "loss_weights": "+loss_weights.syn_pos=2",
    "task_lr": "+task_lr.syn_pos=0.1",
    "model.loss_over": "model.loss_over=positions",
    "model.bias_start": "model.bias_start=glorot",
    "model.private_layers": "+model.private_layers.syn_pos=1",
}


def of(*overrides):
    config, folder = compose_run([*PAIR, *overrides])
    assert isinstance(config, RunConfig)
    return identity(config, SUMS), folder


def has(content, key):
    group, _, name = key.rpartition(".")
    return name in (content[group] if group else content)


def test_every_such_key_is_tried():
    assert CHANGES.keys() == UNCHANGED.keys()


@pytest.mark.parametrize("key", UNCHANGED)
def test_the_value_of_before_is_left_out_and_another_makes_another_run(key):
    limit = ["data.max_length=30"] if key == "model.loss_over" else []
    (before, folder), (after, other) = of(*limit), of(*limit, CHANGES[key])
    assert not has(before, key) and has(after, key)
    assert folder != other
    assert {k: v for k, v in after.items() if k in before} != before or key.count(".") == 0


@pytest.mark.parametrize(
    "option", ["+loss_weights.main=2", "+task_lr.main=0.1", "+model.private_layers.main=1"]
)
def test_a_map_that_names_main_makes_two_runs_of_a_pair(option):
    (one, folder), (plain, _) = of(option), of()
    config, other = compose_run(["main=syn_pos", "aux=syn_chu", option])
    assert one["main"] == "syn_chu" and "main" not in plain
    assert identity(config, SUMS)["main"] == "syn_pos"
    assert folder != other
