"""The Python API: what a notebook gets, and how it answers mistakes."""

import doctest
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

import mtl_bench
from mtl_bench.config.compose import compose_run, overrides_of, register
from mtl_bench.errors import UserError


def test_the_examples_are_true():
    results = doctest.testmod(mtl_bench)
    assert results.attempted >= 6
    assert results.failed == 0


def test_a_pair_and_its_baselines_give_gains():
    for main, aux in (("syn_pos", "syn_key"), ("syn_pos", ()), ("syn_key", ())):
        run = mtl_bench.train(main, aux, steps_per_task=4, optimizer={"lr": 0.5})
    assert run.curve()["task"].unique().tolist() == ["syn_key"]
    sweep = mtl_bench.open_sweep("default")
    assert sorted(sweep.runs()["tasks"]) == ["syn_key", "syn_key+syn_pos", "syn_pos"]
    assert sorted(sweep.gains()["main"]) == ["syn_key", "syn_pos"]
    curves = sweep.curves()
    assert {"run", "task", "seed", "step", "budget", "metric", "value"} <= set(curves.columns)
    assert curves["budget"].max() == 4


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        (["nope"], {}, "there is no task 'nope'"),
        (["syn_pos", "nope"], {}, "there is no task 'nope'"),
        (["syn_pos"], {"optimizer__lrr": 1}, "no key 'lrr'.*Did you mean lr"),
        (["syn_pos"], {"seed": 1.5}, "seed: '1.5' is not a whole number"),
        (["syn_pos"], {"optimizer": {"lr": "fast"}}, "optimizer.lr: 'fast' is not a number"),
        (["syn_pos"], {"data__dev_share": 0.1}, "data.dev_fraction"),
        (["syn_pos"], {"dry_run": True}, "python train.py dry_run=true"),
    ],
)
def test_mistakes_raise_the_errors_of_the_command_line(arguments, options, expected):
    with pytest.raises(UserError, match=f"(?s){expected}"):
        mtl_bench.train(*arguments, **options)


@pytest.mark.parametrize(
    "name",
    ["müller (a) b/x=y", "a,b", "[x]", "a[1]/b", "a\\b", "it's", "end\\", "q\\'q", "~x", "plain"],
)
def test_paths_are_values_whatever_their_characters(name):
    register()
    GlobalHydra.instance().clear()
    for value in (Path(name), *([name] if not set("[,") & set(name) else [])):
        _, folder = compose_run(overrides_of({"main": "syn_pos", "paths": {"output_dir": value}}))
        assert folder.is_relative_to(name)


def test_a_sweep_that_is_not_there_is_named():
    with pytest.raises(UserError, match="there is no such folder"):
        mtl_bench.open_sweep("nope")
