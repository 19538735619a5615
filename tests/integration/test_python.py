"""The Python API: what a notebook gets, and how it answers mistakes."""

import doctest
from pathlib import Path

import pytest

import mtl_bench
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


def test_paths_and_texts_are_values_whatever_their_signs():
    folder = Path("müller (a) b", "x=y")
    run = mtl_bench.train("syn_pos", steps_per_task=1, paths__output_dir=folder)
    assert run.folder.is_relative_to(folder)


def test_a_sweep_that_is_not_there_is_named():
    with pytest.raises(UserError, match="there is no such folder"):
        mtl_bench.open_sweep("nope")
