"""The study of the paper's runs, whole."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mtl_bench.__main__ import main as bench
from mtl_bench.analysis.data.evidence import Progress, published_evidence
from mtl_bench.analysis.data.single_runs import SingleRun
from mtl_bench.analysis.evaluation.partial_runs import cut, from_pilots
from mtl_bench.commands.study import configuration
from tests.unit.analysis.tables import made_table

QUICK = ["draws=5", "pair_runs=2", "runs=10"]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    assert bench(["study", "published", "--out", str(folder), *QUICK, "early=true"]) == 0
    return folder


def rows(file):
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_its_files(out):
    assert sorted(f.name for f in out.iterdir()) == [
        *(".parts", "claims.csv", "coefficients.csv", "early.csv", "features.csv", "gains.csv"),
        *("predictor.json", "scores.csv", "study.json"),
    ]
    assert len(rows(out / "gains.csv")) == 90
    assert len(rows(out / "features.csv")) == 10
    assert len(rows(out / "coefficients.csv")) == 42
    content = json.loads((out / "study.json").read_text())
    assert (content["gains_above_0"], content["missing"]) == (40, [])
    assert len(content["answers"]) == 4


def test_paper_and_difference_stand_in_the_rows(out):
    found = {
        row["features"]: row for row in rows(out / "scores.csv") if row["protocol"] == "printed"
    }
    row = found["all features"]
    assert float(row["paper_accuracy"]) == 0.749
    assert float(row["difference_accuracy"]) == pytest.approx(float(row["accuracy"]) - 0.749)
    assert found["all features (half the steps)"]["paper_accuracy"] == ""
    first = rows(out / "coefficients.csv")[0]
    assert first["feature"] == "gradient_30"
    assert float(first["difference"]) == pytest.approx(float(first["coefficient"]) + 1.566)


def test_features_are_the_released_ones_and_robust_ones_beside(out):
    chu = next(row for row in rows(out / "features.csv") if row["task"] == "chu")
    assert float(chu["curve_c"]) == pytest.approx(1.52624256)
    assert float(chu["slope_10"]) < 0
    assert float(chu["curve_rmse"]) < 0.5
    assert chu["curve_converged"] == "1.0"


def test_the_paper_s_claims_have_verdicts(out):
    found = {row["claim"]: row for row in rows(out / "claims.csv")}
    assert len(found) == 17
    allowed = {
        "holds",
        "does not hold",
        "not beyond chance",
        "cannot be tested here",
        "not contradicted",
    }
    assert {row["verdict"] for row in found.values()} <= allowed
    assert found["multi-task learning improves 40 of 90 cases"]["verdict"] == "holds"


def test_early_says_what_it_costs(out):
    found = rows(out / "early.csv")
    pilots = [row for row in found if row["looked_at"] == "pilot pairs"]
    assert [float(row["cost_percent"]) for row in pilots] == [5, 10, 20, 30, 50, 70]
    assert float(pilots[-1]["spearman"]) > float(pilots[0]["spearman"])
    curves = [row for row in found if row["looked_at"] == "single runs"]
    assert float(curves[-1]["cost_percent"]) == pytest.approx(10.0)  # 10 x 50,000 of 5,000,000


def test_a_second_time_nothing_is_computed_and_another_setting_is(out, tmp_path):
    before = {f.name: f.read_bytes() for f in (out / ".parts").iterdir()}
    times = {f.name: f.stat().st_mtime_ns for f in (out / ".parts").iterdir()}
    scores = (out / "scores.csv").read_bytes()
    assert bench(["study", "published", "--out", str(out), *QUICK, "early=true"]) == 0
    assert {f.name: f.stat().st_mtime_ns for f in (out / ".parts").iterdir()} == times
    assert (out / "scores.csv").read_bytes() == scores
    assert bench(["study", "published", "--out", str(out), *QUICK, "draws=6", "early=true"]) == 0
    assert len(list((out / ".parts").iterdir())) == 2 * len(before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study", "published"], "needs `--out"),
        (["study", "nowhere"], "there is no such folder"),
        (["study", "published", "--out", "x", "draw=1"], "draw"),
        (["study", "published", "--out", "x", "predictor=[oracle]"], "oracle"),
        (["study", "published", "--out", "x", "sets.all=[dates]"], "there are no features dates"),
        (
            ["study", "published", "--out", "x", "draws=0"],
            "draws is 0; it is a whole number from 1",
        ),
        (["study", "published", "--out", "x", "early=maybe"], "early is 'maybe'"),
        (
            ["study", "published", "--out", "x", "predictor=[ridge]"],
            "final.predictor is 'logistic'",
        ),
        (["study", "published", "--out", "x", "final.set=none"], "final.set is 'none'"),
        (["study", "published", "--out", "x", "nested=[some]"], "nested is ['some']"),
        (
            ["study", "published", "--out", "x", "features.gradients._target_=os.nothing"],
            "os.nothing",
        ),
        (["study", "published", "--out", "/proc/x"], "No such file"),
        (["predict", "nothing.json", "nowhere"], "No such file"),
    ],
)
def test_mistakes_are_answered(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert bench(arguments) == 2
    assert message in capsys.readouterr().err


def test_the_right_wing_needs_neither_torch_nor_lightning():
    code = (
        "import sys; from mtl_bench.__main__ import main; import mtl_bench.analysis.study, "
        "mtl_bench.analysis.study_files, mtl_bench.analysis.predictors.predictor_file, mtl_bench.commands.after_sweep; "
        "from mtl_bench.commands.study import configuration; configuration([]); "
        "sys.exit(bool({'torch', 'pytorch_lightning'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_configuration_is_made_of_groups():
    cfg = configuration(["study=full", "features=[data]", "predictor.forest.n_estimators=7"])
    assert cfg.draws == 1000
    assert list(cfg.features) == ["data"]
    plain = OmegaConf.to_container(cfg.predictor.forest)
    assert instantiate(plain).n_estimators == 7


def test_published_evidence_is_the_paper_s():
    evidence = published_evidence()
    assert (len(evidence.gains), len(evidence.singles)) == (90, 10)
    assert (evidence.single_steps, evidence.all_steps) == (500_000, 5_000_000)
    assert len(evidence.progress) == 100


def test_a_run_is_cut_and_its_progress_read():
    run = SingleRun("a", {}, np.arange(1.0, 101.0), np.arange(100.0))
    assert len(cut(run, 10).steps) == 10
    progress = Progress(np.array([0.25, 0.5, 0.75, 1.0]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert progress.at(50) == pytest.approx(0.15)
    assert progress.at(100) == pytest.approx(0.3)
    assert np.isnan(progress.at(10))


def test_pilots_that_already_are_the_end_predict_it():
    table = made_table(tasks=4)
    progress = {}
    for (m, a), gain in zip(table.pairs(), table.gain, strict=True):
        progress[m, m] = Progress(np.array([1.0]), np.array([0.5]))
        f1 = 0.5 * (1 + gain / 100)
        progress["+".join(sorted((m, a))), m] = Progress(np.array([1.0]), np.array([f1]))
    [early] = from_pilots(progress, table, 100)
    assert early.score.values["accuracy"] == 1
    assert early.score.values["spearman"] == pytest.approx(1)
    assert from_pilots(progress, table, 50) == []
