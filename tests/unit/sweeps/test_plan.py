"""The plan of a sweep: each task set once, what is finished left out, mistakes told first."""

import shutil
from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader  # noqa: F401  (imported before the plugins)
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import open_dict

from mtl_bench.config.compose import register
from mtl_bench.config.schema import checked
from mtl_bench.config.tasks import conf_folder
from mtl_bench.errors import UserError
from mtl_bench.sweeps.plan import make_plan


@pytest.fixture
def plan(tmp_path):
    """Plan the jobs of some overrides."""
    register()
    loader = ConfigLoaderImpl(create_config_search_path(str(conf_folder())))

    def make(*jobs, every=()):
        config = loader.load_configuration("train", [], RunMode.MULTIRUN)
        return make_plan(
            [[*every, *job.split()] for job in jobs],
            lambda job: loader.load_sweep_config(config, job),
        )

    return make


def folders(plan):
    return [job.status.run.folder for job in plan.jobs]


@pytest.mark.parametrize(
    "every",
    [
        [],
        ["tasks.syn_pos.max_length=3"],
        ["sampler=weighted", "sampler.weights.main=0.8"],
        ["optimizer=adamw_linear", "steps_per_task=50"],
        ["optimizer=adamw_linear", "optimizer.decay_steps=${total_steps:500,null}"],
        ["steps_per_task=4", 'trainer.val_check_interval="${total_steps:${steps_per_task},null}"'],
        ["data.split_seed=${seed}", "seed=3"],
        [r"data.split_seed=$\{seed\}", "seed=3"],
        ["experiment=eacl2017", "embeddings=random"],
    ],
)
def test_the_configuration_of_a_run_is_the_one_that_hydra_composes_for_it(plan, every):
    sets = ["main=syn_chu aux=syn_pos", "main=syn_pos aux=syn_pos", "main=syn_pos aux=[syn_mwe]"]
    every = [*every, "baselines=false"]
    if "tasks." in every[0]:
        sets = sets[:2]
    loader = ConfigLoaderImpl(create_config_search_path(str(conf_folder())))
    found = plan(*sets, every=every)
    assert len(found.jobs) == len(sets)
    for job in found.jobs:
        sweep = loader.load_configuration("train", [], RunMode.MULTIRUN)
        composed = loader.load_sweep_config(sweep, job.overrides)
        HydraConfig.instance().set_config(composed)
        with open_dict(composed):
            del composed["hydra"]
        assert checked(composed) == job.config


def test_mirrored_pairs_are_one_run(plan):
    found = plan(
        *(f"main={a} aux={b}" for a in ("syn_chu", "syn_pos") for b in ("syn_chu", "syn_pos"))
    )
    assert folders(found) == ["syn_chu/seed0", "syn_chu+syn_pos/seed0", "syn_pos/seed0"]
    assert [job.status.run.steps for job in found.jobs] == [2000, 4000, 2000]
    assert found.sweep == Path("multirun_outputs/default")
    assert {job.status.state for job in found.jobs} == {"pending"}


def test_mirrored_pairs_are_two_where_the_sampler_names_main(plan):
    found = plan(
        "main=syn_chu aux=syn_pos",
        "main=syn_pos aux=syn_chu",
        every=["sampler=weighted", "sampler.weights.main=0.8", "baselines=false"],
    )
    assert len(found.jobs) == 2


def test_single_runs_that_gains_are_relative_to_are_added(plan):
    pairs = ["main=syn_chu aux=syn_pos", "main=syn_chu aux=[syn_pos,syn_mwe]"]
    found = plan(*pairs, every=["seed=3"])
    assert folders(found) == [
        *("syn_chu+syn_pos/seed3", "syn_chu+syn_mwe+syn_pos/seed3", "syn_chu/seed3"),
    ]
    assert found.baselines == ["syn_chu"]
    assert plan(*pairs, every=["baselines=false"]).baselines == []
    assert plan(*pairs, "main=syn_chu").baselines == []
    variants = plan(*(f"main=syn_chu aux=syn_pos seed={s}" for s in (0, 1)))
    assert folders(variants)[1::2] == ["syn_chu/seed0", "syn_chu/seed1"]
    of_aux = plan("main=syn_chu aux=syn_pos", every=["tasks.syn_pos.max_length=3"])
    assert (of_aux.baselines, of_aux.no_baselines) == ([], ["syn_chu"])
    of_main = plan("main=syn_chu aux=syn_pos", every=["tasks.syn_chu.max_length=3"])
    assert (of_main.baselines, of_main.no_baselines) == (["syn_chu"], [])


def test_variants_and_seeds_multiply(plan):
    found = plan(
        *(
            f"main=syn_chu aux=syn_pos seed={s} model.hidden_size={h} baselines=false"
            for s in (0, 1)
            for h in (5, 7)
        )
    )
    assert sorted(folders(found)) == [
        f"syn_chu+syn_pos/model.hidden_size={h}/seed{s}" for h in (5, 7) for s in (0, 1)
    ]


def test_sets_lists_and_defaults(plan):
    found = plan("main=syn_chu aux=[syn_pos,syn_mwe]", "main=syn_chu aux=[]")
    assert folders(found) == ["syn_chu+syn_mwe+syn_pos/seed0", "syn_chu/seed0"]
    assert folders(plan("seed=3")) == ["syn_chu/seed3"]
    assert folders(plan("main=syn_pos")) == ["syn_pos/seed0"]
    assert folders(plan("aux=syn_pos")) == ["syn_chu+syn_pos/seed0", "syn_chu/seed0"]


def test_trainer_max_steps_caps_every_run(plan):
    found = plan("main=syn_chu aux=syn_pos", "main=syn_chu", every=["trainer.max_steps=70"])
    assert [job.status.run.steps for job in found.jobs] == [70, 70]


def test_nothing_to_do_is_a_mistake(plan):
    with pytest.raises(UserError, match="the sweep has no runs"):
        plan()


def test_an_override_of_a_task_that_some_runs_lack_is_told_first(plan):
    with pytest.raises(UserError, match="'syn_pos' is not in 1 of the 2 combinations"):
        plan(
            "main=syn_chu aux=syn_pos",
            "main=syn_chu aux=syn_mwe",
            every=["tasks.syn_pos.max_length=3"],
        )


def test_missing_data_is_told_first(plan):
    with pytest.raises(UserError, match="the data of ccg is missing") as error:
        plan("main=syn_chu aux=ccg", "main=syn_chu")
    assert "catalog.ldc.upenn.edu" in str(error.value)
    assert "skip_missing=true" in str(error.value)
    found = plan("main=syn_chu aux=ccg", "main=syn_chu", every=["skip_missing=true"])
    assert folders(found) == ["syn_chu/seed0"]
    assert "ccg" in found.missing
    found = plan("main=syn_chu aux=ccg", "main=chu", every=["dry_run=true"])
    assert list(found.missing) == ["ccg"]
    assert found.to_download == ["chu"]


def test_what_is_finished_is_left_out_and_what_differs_refused(plan, command):
    run = ["main=syn_chu", "aux=syn_pos", "steps_per_task=2"]
    assert command(*run)[0] == 0
    sweep = plan(" ".join(run), "main=syn_pos steps_per_task=2", every=["baselines=false"])
    assert [job.status.state for job in sweep.jobs] == ["finished", "pending"]
    assert len(sweep.left()) == 1
    assert sweep.steps_left() == 2
    folder = Path("multirun_outputs/default/syn_chu+syn_pos")
    shutil.copytree(folder / "seed0", folder / "seed1")
    with pytest.raises(UserError, match="seed: 0 there, 1 now"):
        plan("main=syn_pos aux=syn_chu seed=1")
    [job, _] = plan("main=syn_pos aux=syn_chu seed=1 overwrite=true").jobs
    assert job.status.state == "pending"
    GlobalHydra.instance().clear()


def test_budgets_of_one_run_are_one_job(plan):
    sweep = plan(*(f"main=syn_chu aux=syn_pos steps_per_task={n}" for n in (500, 2000, 20)))
    assert folders(sweep) == ["syn_chu+syn_pos/seed0", "syn_chu/seed0"]
    assert {job.status.run.budgets for job in sweep.jobs} == {(20, 500, 2000)}
    assert [job.status.run.steps for job in sweep.jobs] == [4000, 2000]
    assert all("steps_per_task=2000" in job.overrides for job in sweep.jobs)


def test_the_smaller_limit_is_planned_as_it_is_trained(plan, command):
    limits = ["main=syn_chu", "trainer.max_steps=5000", "steps_per_task=5"]
    [job] = plan(" ".join(limits)).jobs
    assert job.status.run.steps == 5
    assert command(*limits)[0] == 0
    [job] = plan(" ".join(limits)).jobs
    assert (job.status.state, job.status.record.steps_done) == ("finished", 5)
    GlobalHydra.instance().clear()


def test_a_run_that_asks_for_more_is_extended_and_for_less_is_finished(plan, command):
    assert command("main=syn_chu", "steps_per_task=3")[0] == 0
    [job] = plan("main=syn_chu steps_per_task=9").jobs
    assert (job.status.state, job.is_extended(), job.status.run.steps) == ("pending", True, 9)
    [job] = plan("main=syn_chu steps_per_task=2").jobs
    assert job.status.state == "finished"
    GlobalHydra.instance().clear()


def test_what_follows_the_budget_is_part_of_the_run(plan):
    sweep = plan(
        *(f"main=syn_chu steps_per_task={n}" for n in (20, 30)),
        every=["optimizer=adam", "+optimizer.total=${steps_per_task}"],
    )
    assert sweep.follow_budget == ["optimizer"]
    assert len(folders(sweep)) == 2


def test_a_task_named_twice_is_a_mistake(plan):
    with pytest.raises(UserError, match="names 'syn_pos' twice"):
        plan("main=syn_chu aux=[syn_pos,syn_pos]")
