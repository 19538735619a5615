"""The study of the paper's runs, whole."""

import json
import subprocess
import sys
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mtl_bench.__main__ import main as bench
from mtl_bench.analysis.data.single_runs import SingleRun
from mtl_bench.analysis.evaluation.partial_runs import from_pilots, pilot_gains, shortened
from mtl_bench.analysis.features.pair_table import make_table
from mtl_bench.analysis.measurements import sweep_measurements
from mtl_bench.commands.shared.study_pipeline import configuration
from mtl_bench.files import cache_folder
from mtl_bench.paper.published_runs import published_measurements
from mtl_bench.runs.sweep_folder import read_sweep
from tests.unit.analysis.sweeps import write_run, write_sweep

QUICK = ["draws=5", "pair_runs=2", "runs=10"]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    assert bench(["study", "published", "--out", str(folder), *QUICK, "early=true"]) == 0
    return folder


def rows(file):
    return pd.read_csv(file).to_dict("records")


def test_its_files(out):
    assert sorted(f.name for f in out.iterdir()) == [
        "claims.csv",
        "coefficients.csv",
        "early.csv",
        "features.csv",
        "gains.csv",
        "predictor.json",
        "scores.csv",
        "study.json",
        "table3.csv",
    ]
    assert len(rows(out / "gains.csv")) == 90
    assert len(rows(out / "features.csv")) == 10
    assert len(rows(out / "coefficients.csv")) == 42
    content = json.loads((out / "study.json").read_text())
    assert (content["gains_above_0"], content["missing"]) == (40, [])
    assert (content["metric"], content["budget"]) == ("F1", 50_000)
    assert len(content["conclusions"]) == 4


def test_paper_and_difference_stand_in_the_rows(out):
    table = pd.read_csv(out / "table3.csv").set_index("features")
    row = table.loc["all features"]
    assert row.paper_accuracy == 0.749
    assert row.difference_accuracy == pytest.approx(row.accuracy - 0.749)
    assert np.isnan(table.loc["all features (half the steps)"].paper_accuracy)
    first = rows(out / "coefficients.csv")[0]
    assert first["feature"] == "gradient_30"
    assert first["difference"] == pytest.approx(first["coefficient"] + 1.566)


def test_features_are_the_released_ones_and_robust_ones_beside(out):
    chu = next(row for row in rows(out / "features.csv") if row["task"] == "chu")
    assert chu["curve_c"] == pytest.approx(1.52624256)
    assert chu["slope_10"] < 0
    assert chu["curve_rmse"] < 0.5
    assert chu["curve_converged"] == 1


def test_the_paper_s_claims_have_results(out):
    by_claim = {row["claim"]: row for row in rows(out / "claims.csv")}
    assert len(by_claim) == 17
    allowed = {
        "holds",
        "contradicted",
        "not shown",
        "cannot be tested here",
        "not contradicted",
    }
    assert {row["result"] for row in by_claim.values()} <= allowed
    assert by_claim["multi-task learning improves 40 of 90 cases"]["result"] == "holds"


def test_early_says_what_it_costs(out):
    early = rows(out / "early.csv")
    pilots = [row for row in early if row["runs"] == "pilot pairs"]
    assert [row["cost_percent"] for row in pilots] == [5, 10, 20, 30, 50, 70]
    assert pilots[-1]["spearman"] > pilots[0]["spearman"]
    curves = [row for row in early if row["runs"] == "single runs"]
    assert curves[-1]["cost_percent"] == pytest.approx(10.0)  # 10 x 50,000 of 5,000,000
    # Nothing is learned from pilots; for a new task from the runs of the nine others: 9 and 36
    # pairs twice as long, of 10 and 45.
    assert {row["learning_cost_percent"] for row in pilots} == {0}
    new = [row for row in curves if row["held_out"] == "unseen_main"]
    assert [row["learning_cost_percent"] for row in new] == pytest.approx([81.0] * len(new))


def test_a_second_time_nothing_is_computed_and_another_setting_is(tmp_path):
    def study(*overrides):
        out = str(tmp_path / "out")
        assert bench(["study", "published", "--out", out, *QUICK, *overrides]) == 0
        outputs = (cache_folder() / "scores").rglob("output.pkl")
        return {file: file.stat().st_mtime_ns for file in outputs}

    first = study()
    scores = (tmp_path / "out/scores.csv").read_bytes()
    assert study() == first
    assert (tmp_path / "out/scores.csv").read_bytes() == scores
    assert len(study("draws=6")) == 2 * len(first)


def test_files_of_others_in_the_folder_stay(tmp_path):
    (tmp_path / "mine.csv").write_text("a\n1\n")
    for overrides in (["early=true"], []):
        assert bench(["study", "published", "--out", str(tmp_path), *QUICK, *overrides]) == 0
    assert (tmp_path / "mine.csv").exists()
    assert not (tmp_path / "early.csv").exists()


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
        (["study", "published", "--out", "x", "metric=accuracy"], "gains of f1"),
        (["study", "published", "--out", "x", "budget=soon"], "budget is 'soon'"),
        (["rank", "nothing.json", "nowhere"], "there is no such file"),
    ],
)
def test_mistakes_are_answered(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert bench(arguments) == 2
    assert message in capsys.readouterr().err


def test_the_right_wing_needs_neither_torch_nor_lightning():
    code = (
        "import sys; from mtl_bench.__main__ import main; import mtl_bench.analysis.study, "
        "mtl_bench.analysis.study_files, mtl_bench.analysis.predictors.predictor_file, mtl_bench.commands.hydra.after_sweep; "
        "from mtl_bench.commands.shared.study_pipeline import configuration; configuration([]); "
        "sys.exit(bool({'torch', 'pytorch_lightning'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_configuration_is_made_of_groups():
    cfg = configuration(["study=full", "features=[data]", "predictor.forest.n_estimators=7"])
    assert cfg.draws == 500
    assert list(cfg.features) == ["data"]
    plain = OmegaConf.to_container(cfg.predictor.forest)
    assert instantiate(plain).n_estimators == 7


def test_published_evidence_is_the_paper_s():
    measurements = published_measurements()
    assert (len(measurements.gains), len(measurements.single_runs())) == (90, 10)
    assert measurements.steps() == (500_000, 5_000_000)
    assert len(measurements.curves()) == 100
    assert measurements.scores_alone()["mwe"] == pytest.approx(0.43272)


def test_a_run_is_shortened():
    run = SingleRun("a", {}, np.arange(1.0, 101.0), np.arange(100.0))
    assert len(shortened(run, 10).steps) == 10
    assert len(shortened(SingleRun("a", {}, np.empty(0), np.empty(0)), 10).steps) == 0


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """A sweep of six tasks of two types."""
    folder = tmp_path_factory.mktemp("sweeps") / "toy"
    write_sweep(folder)
    return folder


def test_pilots_are_shares_of_the_budget_that_a_record_has(sweep):
    measurements = sweep_measurements("toy", sweep, read_sweep(sweep))
    assert measurements.budget == 100
    curve = measurements.curves()["w+x", "w"]
    assert curve.share[:2] == pytest.approx([0.05, 0.1])
    # Both runs are at a fifth of their score then.
    final = next(g.gain_percent for g in measurements.gains if (g.main, g.aux) == ("w", "x"))
    assert pilot_gains(measurements, [("w", "x")], 20) == pytest.approx([final])
    assert np.isnan(pilot_gains(measurements, [("w", "x")], 1)).all()
    assert pilot_gains(measurements, [("w", "x")], 5) == [0]  # below 5 percent F1


def test_curves_are_means_over_the_seeds_that_reach_the_budget(tmp_path):
    for seed, (last, value) in enumerate([(100, 0.4), (100, 0.6), (50, 0.9)]):
        curve = {budget: {"a": value} for budget in range(10, last + 1, 10)}
        write_run(tmp_path, ["a"], {"a": value}, seed=seed, budget=last, curve=curve)
    measurements = sweep_measurements("x", tmp_path, read_sweep(tmp_path), budget=100)
    curve = measurements.curves()["a", "a"]
    assert curve.share == pytest.approx(np.arange(0.1, 1.01, 0.1))
    assert curve.scores == pytest.approx(np.full(10, 0.5))


def test_pilots_are_of_the_first_seed_even_if_it_says_nothing(tmp_path):
    for seed, early in ((0, 0.01), (1, 0.3)):
        for tasks, final in (("a", 0.5), ("ab", 0.6)):
            curve = {b: dict.fromkeys(tasks, early if b < 50 else final) for b in range(5, 101, 5)}
            finals = dict.fromkeys(tasks, final)
            write_run(tmp_path, list(tasks), finals, seed=seed, curve=curve)
    measurements = sweep_measurements("x", tmp_path, read_sweep(tmp_path))
    assert pilot_gains(measurements, [("a", "b")], 20) == [0]
    assert pilot_gains(measurements, [("a", "b")], 100) == pytest.approx([20])


def test_runs_of_other_budgets_and_splits_are_not_mixed(tmp_path):
    for seed, budget in ((0, 200), (1, 100)):
        dev = {b: {"a": 0.54} for b in range(10, budget + 1, 10)}
        write_run(tmp_path, ["a"], {"a": 0.6}, budget=budget, seed=seed, curve=dev)
    at_100, at_200 = (
        sweep_measurements("x", tmp_path, read_sweep(tmp_path), budget=budget)
        for budget in (100.0, 200.0)
    )
    assert at_100.scores_alone() == {"a": 0.6}  # that of the run that ended there
    assert [run.steps.max() for run in at_100.single_runs()] == [100, 100]
    assert [run.steps.max() for run in at_200.single_runs()] == [200]


def test_pilots_that_already_are_the_end_predict_it(sweep):
    measurements = sweep_measurements("toy", sweep, read_sweep(sweep))
    gains = {(gain.main, gain.aux): gain.gain_percent for gain in measurements.gains}
    features = {task: {"f": 1.0} for task in "uvwxyz"}
    table = make_table(gains, features, ["f"])
    [early] = from_pilots(measurements, table, 100)
    assert early.score.values["accuracy"] == 1
    assert early.score.values["spearman"] == pytest.approx(1)
    assert from_pilots(measurements, table, 1) == []


def test_tasks_of_several_types_are_studied_ranked_and_shown(sweep, tmp_path, capsys):
    assert bench(["gains", str(sweep)]) == 0
    assert (
        "Gain of F1 or mean error (test) in percent, at 100 steps per task"
        in capsys.readouterr().out
    )
    assert bench(["gains", str(sweep), "--format", "csv"]) == 0
    by_pair = {
        (g.main, g.aux): g for g in pd.read_csv(StringIO(capsys.readouterr().out)).itertuples()
    }
    error = by_pair["v", "w"]
    assert error.metric == "error"
    assert error.gain_percent == pytest.approx(100 * (error.single - error.pair) / error.single)
    assert bench(["report", str(sweep), "--out", str(tmp_path), *QUICK]) == 0
    page = (tmp_path / "report/index.html").read_text()
    assert "Alone its mean error is 0." in page
    assert "v with w: " in page
    assert bench(["rank", str(tmp_path / "study/predictor.json"), str(sweep), "--main", "v"]) == 0
    ranking = capsys.readouterr().out
    assert all(task in ranking for task in "uwxyz")


def test_losses_of_another_kind_are_not_ranked_in_silence(sweep, tmp_path, capsys):
    assert bench(["study", "published", "--out", str(tmp_path / "out"), *QUICK]) == 0
    single = {"a": 0.5, "b": 0.6}
    for task, final in single.items():
        write_run(tmp_path / "mine", [task], {task: final})
    capsys.readouterr()
    assert bench(["rank", str(tmp_path / "out/predictor.json"), str(tmp_path / "mine")]) in (0, 2)
    error = capsys.readouterr().err
    assert (
        "learned from training losses over positions, and those of these runs are over words"
        in error
    )
    assert bench(["show", str(sweep / "v+w/seed0")]) == 0
    assert "mean error" in capsys.readouterr().out
    assert bench(["status", str(sweep)]) == 0
    assert "21 runs: 21 finished" in capsys.readouterr().out


def test_gains_of_a_budget_and_a_metric_that_are_not_there_are_explained(sweep, capsys):
    assert bench(["gains", str(sweep), "--budget", "50"]) == 0
    assert "(dev) in percent, at 50 steps per task" in capsys.readouterr().out
    assert bench(["gains", str(sweep), "--budget", "200"]) == 2
    assert "trained to the budget" in capsys.readouterr().err
    assert bench(["gains", str(sweep), "--metric", "bleu"]) == 2
    assert "no bleu; they have accuracy, error, f1" in capsys.readouterr().err
