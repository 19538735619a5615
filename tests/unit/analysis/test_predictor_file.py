"""Predictors as plain data."""

import json

import pytest

from mtl_bench.analysis.predictors.predictor_file import Recipe, load, save
from mtl_bench.errors import UserError
from tests.unit.analysis.tables import made_table

RIDGE = {"_target_": "sklearn.linear_model.Ridge", "alpha": 2.0}
PIPE = {
    "_target_": "sklearn.pipeline.make_pipeline",
    "_args_": [
        {"_target_": "sklearn.preprocessing.MinMaxScaler"},
        {"_target_": "sklearn.linear_model.LogisticRegression", "solver": "liblinear"},
    ],
}
FAMILIES = {"data": {"_target_": "mtl_bench.analysis.features.data.DataFeatures"}}


@pytest.fixture
def table():
    return made_table(tasks=5)


@pytest.fixture
def features(table):
    by_task = {}
    for n, main in enumerate(table.main):
        by_task[main] = {f"f{k}": table.values[n, k] for k in range(3)}
    return by_task


@pytest.mark.parametrize("config", [RIDGE, PIPE])
def test_what_is_loaded_predicts_the_same(tmp_path, table, features, config):
    file = tmp_path / "predictor.json"
    save(file, table, features, Recipe(config, FAMILIES, "f1"))
    content = json.loads(file.read_text())
    assert len(content["coefficients"]) == 9
    predictor = load(file)
    scores = predictor.scores(table.pairs(), features)
    assert scores == pytest.approx([pair["score"] for pair in content["pairs"]])
    assert predictor.mean_gain("t0", "t1") != predictor.mean_gain("t2", "t1")
    assert predictor.mean_gain("t0", "new") is None
    new = {**features, "new": dict.fromkeys(features["t0"], 0.5)}
    assert len(predictor.scores([("new", "t1"), ("t0", "new")], new)) == 2
    with pytest.raises(UserError, match="task 'new' lacks f1"):
        predictor.scores([("new", "t1")], {**features, "new": {"f0": 1.0, "f2": 2.0}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(schema_version=9), "has schema version 9, expected 3"),
        (lambda c: c["predictor"].update(_target_="os.system"), "names 'os.system'"),
        (lambda c: c["predictor"].update(_target_="sklearn.utils.shuffle"), "names 'sklearn.utils"),
        (lambda c: c["predictor"].update(cv={"_target_": "subprocess.run"}), "names 'subprocess"),
        # Hydra would resolve these to anything, a node with a `_target_` included.
        (lambda c: c["predictor"].update(alpha="${oc.env:HOME}"), "are plain values"),
        (lambda c: c["predictor"].update(cv=[{"x": "a${oc.create:{}}"}]), "are plain values"),
        (lambda c: c["families"]["data"].update({"_${.t}get_": "os.getcwd"}), "are plain values"),
        (lambda c: c["predictor"].update(memory="folder"), "cached results"),
        (
            lambda c: c["families"]["data"].update(_target_="os.getcwd"),
            "has features of 'os.getcwd'",
        ),
        (
            lambda c: c["families"]["data"].update(x={"_target_": "pathlib.Path.touch"}),
            "names .pathlib.Path.touch",
        ),
        (
            lambda c: c["families"]["data"].update(
                _target_="mtl_bench.analysis.features.logcurve.np.save"
            ),
            "has features of",
        ),
        (
            lambda c: c["families"]["data"].update(
                _target_="mtl_bench.analysis.features.logcurve.warnings.sys.exit"
            ),
            "has features of",
        ),
        (
            lambda c: c["pairs"][0].update(gain=1000.0),
            "predicts something else than when it was made",
        ),
        (lambda c: c.pop("pairs"), "is not a predictor, or is damaged"),
        (lambda c: c["predictor"].update(alpha="x"), "is damaged"),
    ],
)
def test_a_file_is_data_and_no_program(tmp_path, table, features, change, message):
    file = tmp_path / "predictor.json"
    save(file, table, features, Recipe(RIDGE, FAMILIES))
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        load(file)


def test_no_file_and_half_a_file(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        load(tmp_path / "predictor.json")
    (tmp_path / "predictor.json").write_text('{"schema_version": 2, "pre')
    with pytest.raises(UserError, match="damaged"):
        load(tmp_path / "predictor.json")
