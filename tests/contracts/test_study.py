"""What every family of features and every predictor under conf/ promises."""

import json

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from sklearn.base import BaseEstimator

from mtl_bench.analysis.data.single_runs import SingleRun
from mtl_bench.analysis.evaluation.folds import pairs
from mtl_bench.analysis.features.data import DataFeatures
from mtl_bench.analysis.predictors.fitting import cross_fit
from mtl_bench.analysis.predictors.predictor_file import Recipe, load, save
from mtl_bench.commands.shared.study_pipeline import configuration
from mtl_bench.config.tasks import conf_folder
from tests.unit.analysis.tables import made_table

STEPS = np.arange(10.0, 3010.0, 10.0)
LOSSES = 3 / np.log(STEPS + 20) + np.random.default_rng(0).normal(0, 0.01, len(STEPS))
STATISTICS = dict.fromkeys(DataFeatures().names(), 2.0)


def choices(group):
    return sorted(file.stem for file in (conf_folder() / group).glob("*.yaml"))


@pytest.mark.parametrize("name", choices("features"))
def test_a_family_describes_a_run(name):
    family = instantiate(configuration([f"features=[{name}]"]).features[name])
    values = family(SingleRun("t", STATISTICS, STEPS, LOSSES))
    assert set(family.names()) <= values.keys()
    assert np.isfinite([values[n] for n in family.names()]).all()
    assert all(type(value) is float for value in values.values())


@pytest.mark.parametrize("name", choices("features"))
def test_a_family_has_no_feature_of_a_run_that_has_hardly_begun(name):
    family = instantiate(configuration([f"features=[{name}]"]).features[name])
    values = family(SingleRun("t", {}, STEPS[:2], LOSSES[:2]))
    assert np.isnan([values[n] for n in family.names()]).all()


def test_families_do_not_take_each_other_s_names():
    families = {name: instantiate(c) for name, c in configuration([]).features.items()}
    assert sorted(families) == choices("features")
    run = SingleRun("t", STATISTICS, STEPS, LOSSES)
    seen = {}
    for family in families.values():
        for name, value in family(run).items():
            assert seen.setdefault(name, value) == pytest.approx(value)


@pytest.mark.parametrize("name", choices("predictor"))
def test_a_predictor_is_an_estimator_that_repeats_itself(name, tmp_path):
    config = OmegaConf.to_container(configuration([f"predictor=[{name}]"]).predictor[name])
    predictor = instantiate(config, _convert_="all")
    assert isinstance(predictor, BaseEstimator)
    table = made_table(tasks=5)
    folds = pairs(table, 1)
    first, second = (cross_fit(predictor, table, folds.train) for _ in range(2))
    assert first.shape == (5, len(table))
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)
    features = {t: {"f0": 0.1, "f1": 0.2, "f2": 0.3} for t in table.main}
    for n, main in enumerate(table.main):
        features[main] = {f"f{k}": table.values[n, k] for k in range(3)}
    save(tmp_path / "predictor.json", table, features, Recipe(config, {}))
    content = json.loads((tmp_path / "predictor.json").read_text())
    scores = load(tmp_path / "predictor.json").scores(table.pairs(), features)
    assert scores == [pair["score"] for pair in content["pairs"]]


@pytest.mark.parametrize("name", choices("study"))
def test_a_study_has_its_keys(name):
    assert configuration([f"study={name}"]).keys() == configuration([]).keys()
