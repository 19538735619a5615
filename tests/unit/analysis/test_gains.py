"""Gains of runs of several tasks over single runs, from the folder of a sweep."""

import math

import pytest

from mtl_bench import open_sweep
from mtl_bench.__main__ import main
from mtl_bench.analysis.data.frame import COLUMNS, runs_frame, values_frame
from mtl_bench.analysis.gains.gains import gains_frame, missing_singles
from mtl_bench.runs.sweep_folder import SweepRun, read_sweep, write_plan
from tests.unit.analysis.sweeps import ERROR, write_run, write_sweep


def gains(sweep, **options):
    frame, _ = gains_frame(sweep, **options)
    return {(g.main, g.aux, g.budget): g for g in frame.itertuples()}


def test_all_values_are_one_long_frame(tmp_path):
    write_run(tmp_path, ["a", "b"], {"a": 0.5, "b": 0.6}, seed=3, variant="lr=1")
    frame, problems = values_frame(tmp_path, read_sweep(tmp_path), all_losses=True)
    assert list(frame) == COLUMNS
    assert problems == []
    [final] = frame[frame.final & (frame.task == "b") & (frame.metric == "f1")].itertuples()
    assert (final.run, final.main, final.variant) == ("a+b/lr=1/seed3", "a", "lr=1")
    assert (final.tasks, final.seed, final.step, final.budget) == ("a+b", 3, 200, 100)
    assert (final.split, final.value) == ("test", 0.6)
    dev = frame[(frame.split == "dev") & (frame.task == "b") & (frame.metric == "f1")]
    assert dev.budget.tolist() == list(range(5, 101, 5))
    losses = frame[(frame.split == "train") & (frame.task == "a")]
    assert len(losses) == 100
    assert "jsd" not in set(frame[frame.split == "data"].metric)
    fewer, _ = values_frame(tmp_path, read_sweep(tmp_path))
    assert set(fewer.split) == {"data", "dev", "test"}


def test_a_damaged_curve_is_named_and_the_other_runs_are_read(tmp_path):
    write_run(tmp_path, ["a"], {"a": 0.5})
    write_run(tmp_path, ["b"], {"b": 0.5})
    (tmp_path / "a/seed0/curve.csv").write_text("nonsense")
    frame, [problem] = values_frame(tmp_path, read_sweep(tmp_path))
    assert set(frame.task) == {"b"}
    assert "a/seed0/curve.csv" in problem


def test_a_run_has_a_row_with_its_primary_metrics(tmp_path):
    write_run(tmp_path, ["a", "b"], {"a": 0.5, "b": 0.6})
    [run] = runs_frame(read_sweep(tmp_path)).to_dict("records")
    assert (run["tasks"], run["state"], run["budget"]) == ("a+b", "finished", 100)
    assert (run["a"], run["b"]) == (0.5, 0.6)


def test_a_gain_is_the_relative_change_in_percent_paired_by_seed(tmp_path):
    for seed, alone in enumerate((0.5, 0.4)):
        write_run(tmp_path, ["a"], {"a": alone}, seed=seed)
    write_run(tmp_path, ["b"], {"b": 0.8})
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6})
    write_run(tmp_path, ["a", "b"], {"a": 0.4, "b": 1.0}, seed=1)
    by_pair = gains(tmp_path)
    gain = by_pair["a", "b", 100]
    assert (gain.gain_percent, gain.seed_sd) == pytest.approx((10, 14.142), abs=1e-3)
    assert (gain.seeds, gain.single, gain.pair) == pytest.approx((2, 0.45, 0.5))
    assert (gain.points, gain.metric, gain.split) == (pytest.approx(5), "f1", "test")
    other = by_pair["b", "a", 100]
    assert (other.seeds, other.gain_percent) == (1, pytest.approx(-25))  # seed 1 has no single run


def test_where_lower_is_better_a_gain_is_a_decrease(tmp_path):
    write_run(tmp_path, ["a"], {"a": 4.0}, types={"a": ERROR})
    write_run(tmp_path, ["a", "b"], {"a": 3.0, "b": 1.0}, types={"a": ERROR})
    gain = gains(tmp_path)["a", "b", 100]
    assert (gain.gain_percent, gain.points, gain.metric) == (25, 1, "error")


def test_another_metric_than_the_primary_one_can_be_chosen(tmp_path):
    write_run(tmp_path, ["a"], {"a": 0.5})
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6})
    assert gains(tmp_path, metric="accuracy")["a", "b", 100].gain_percent == 0
    assert gains(tmp_path, metric="error") == {}


def test_runs_of_other_budgets_are_compared_on_their_curves(tmp_path):
    half = {50: {"a": 0.2}, 100: {"a": 0.4}}
    write_run(tmp_path, ["a"], {"a": 0.9}, budget=100, curve=half)
    write_run(
        tmp_path, ["a", "b"], {"a": 0.8, "b": 0.5}, budget=60, curve={50: {"a": 0.3, "b": 0.5}}
    )
    by_budget = gains(tmp_path)
    # At 100 steps there is no pair run, at 60 no final metric of the single run.
    assert {budget for *_, budget in by_budget} == {60}
    gain = by_budget["a", "b", 60]
    assert (gain.gain_percent, gain.split) == (pytest.approx(50), "dev")


def test_a_sweep_asked_for_two_budgets_has_gains_at_each(tmp_path):
    write_run(tmp_path, ["a"], {"a": 0.5}, curve={50: {"a": 0.2}, 100: {"a": 0.4}})
    both = {50: {"a": 0.3, "b": 0.1}, 100: {"a": 0.4, "b": 0.1}}
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6}, curve=both)
    statuses = read_sweep(tmp_path)
    write_plan(tmp_path, [type(s.run)(s.run.folder, s.run.tasks, 0, (50.0,)) for s in statuses])
    by_budget = gains(tmp_path)
    assert by_budget["a", "b", 50].gain_percent == pytest.approx(50)
    assert by_budget["a", "b", 100].gain_percent == pytest.approx(20)
    assert (by_budget["a", "b", 50].split, by_budget["a", "b", 100].split) == ("dev", "test")


def test_a_table_says_which_seeds_are_not_in_it(tmp_path, capsys):
    for seed in range(3):  # those of the last end at 50, others go on
        budget = 100 if seed < 2 else 50
        write_run(tmp_path, ["a"], {"a": 0.5}, budget=budget, seed=seed)
        write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6}, budget=budget, seed=seed)
        write_run(tmp_path, ["a", "c"], {"a": 0.6, "c": 0.6}, budget=budget, seed=seed)
    for pair in ("a+b", "a+c"):
        (tmp_path / pair / "seed1/record.json").unlink()  # not finished, and so not left out
    assert main(["gains", str(tmp_path), "--budget", "50"]) == 0
    printed = capsys.readouterr()
    assert "(test) in percent, at 50 steps per task, 1 seed" in printed.out
    assert "Up to 1 more seed is trained that far, and left out" in printed.err
    assert main(["gains", str(tmp_path), "--budget", "100"]) == 0
    assert "more seed" not in capsys.readouterr().err


def test_a_run_that_is_to_be_extended_counts_at_its_budget(tmp_path):
    write_run(tmp_path, ["a"], {"a": 0.5})
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6})
    statuses = read_sweep(tmp_path)
    write_plan(tmp_path, [type(s.run)(s.run.folder, s.run.tasks, 0, (200.0,)) for s in statuses])
    assert {status.state for status in read_sweep(tmp_path)} == {"pending"}
    assert set(gains(tmp_path)) == {("a", "b", 100)}


def test_missing_failed_and_other_variants_are_never_filled_in(tmp_path):
    write_run(tmp_path, ["a"], {"a": 0.5}, variant="lr=1")
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6})
    assert gains(tmp_path) == {}
    assert missing_singles(read_sweep(tmp_path)) == {"": {"a"}}


def test_both_tasks_of_a_pair_may_lack_their_single_run(tmp_path, capsys):
    write_run(tmp_path, ["a"], {"a": 0.5})
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6})
    write_plan(tmp_path, [SweepRun("b/seed0", ("b",), 0, (100.0,))])  # asked for, not trained
    assert missing_singles(read_sweep(tmp_path)) == {"": {"b"}}
    for style in ("table", "csv", "json"):
        assert main(["gains", str(tmp_path), "--format", style]) == 0
        assert "b alone is not finished" in capsys.readouterr().err


def test_a_sweep_that_has_not_begun_has_an_empty_frame(tmp_path):
    write_plan(tmp_path, [SweepRun("a/seed0", ("a",), 0, (10.0,))])
    frame, problems = values_frame(tmp_path, read_sweep(tmp_path))
    assert (len(frame), list(frame), problems) == (0, COLUMNS, [])
    assert gains_frame(tmp_path)[0].empty
    assert len(runs_frame(read_sweep(tmp_path))) == 1


def test_a_run_whose_curve_is_damaged_is_named_whatever_is_printed(tmp_path, capsys):
    write_run(tmp_path, ["a"], {"a": 0.5})
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6})
    write_run(tmp_path, ["a", "c"], {"a": 0.6, "c": 0.6})
    (tmp_path / "a+c/seed0/curve.csv").write_text("nothing\n")
    assert len(gains(tmp_path)) == 1
    for style in ("table", "csv"):
        assert main(["gains", str(tmp_path), "--format", style]) == 0
        assert "a+c/seed0" in capsys.readouterr().err
    with pytest.warns(UserWarning, match="a.c/seed0"):
        assert len(open_sweep(tmp_path).gains()) == 1


def test_a_sweep_inside_a_sweep_is_another_one(tmp_path):
    write_run(tmp_path, ["a"], {"a": 0.5})
    write_run(tmp_path / "trials", ["a"], {"a": 0.5}, seed=1000)
    assert [status.run.folder for status in read_sweep(tmp_path)] == ["a/seed0"]


def test_a_gain_over_0_is_undefined_and_has_points(tmp_path):
    write_run(tmp_path, ["a"], {"a": 0.0})
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.6})
    gain = gains(tmp_path)["a", "b", 100]
    assert math.isnan(gain.gain_percent)
    assert gain.points == pytest.approx(60)


def test_a_seed_that_scores_0_alone_is_not_left_out_of_the_gain(tmp_path):
    for seed, (single, pair) in enumerate(((0.0, 0.3), (0.4, 0.42), (0.5, 0.51))):
        write_run(tmp_path, ["a"], {"a": single}, seed=seed)
        write_run(tmp_path, ["a", "b"], {"a": pair, "b": 0.6}, seed=seed)
    gain = gains(tmp_path)["a", "b", 100]
    assert math.isnan(gain.gain_percent)
    assert (gain.seeds, gain.points) == (3, pytest.approx(11))


def test_sets_of_three_have_two_auxiliary_tasks(tmp_path):
    write_run(tmp_path, ["a"], {"a": 0.5})
    write_run(tmp_path, ["a", "b", "c"], {"a": 0.6, "b": 0.6, "c": 0.6})
    assert set(gains(tmp_path)) == {("a", "b+c", 100)}


def test_late_evaluations_give_one_seed_an_interval(tmp_path):
    wave = [0.002, -0.002]
    alone = {b: {"a": 0.5 + wave[b // 5 % 2]} for b in range(5, 101, 5)}
    both = {b: {"a": 0.6 + wave[b // 5 % 2], "b": 0.5} for b in range(5, 101, 5)}
    write_run(tmp_path, ["a"], {"a": 0.5}, curve=alone)
    write_run(tmp_path, ["a", "b"], {"a": 0.6, "b": 0.5}, curve=both)
    gain = gains(tmp_path)["a", "b", 100]
    assert gain.effect == "helps"
    assert gain.low < gain.gain_percent < gain.high
    assert gain.late_percent == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("command", ["gains", "status"])
def test_a_matrix_wider_than_the_terminal_goes_on_below(command, tmp_path, capsys, monkeypatch):
    tasks = [f"a_long_name_{letter}" for letter in "abcdef"]
    write_sweep(tmp_path / "wide", tasks)
    monkeypatch.setenv("COLUMNS", "60")
    assert main([command, str(tmp_path / "wide")]) == 0
    out = capsys.readouterr().out
    assert "…" not in out
    assert all(len(line) <= 60 for line in out.splitlines() if tasks[0] in line)
    headings = " ".join(line for line in out.splitlines() if line.count("a_long_name_") > 1)
    assert all(headings.count(task) == 1 for task in tasks)


def test_a_main_task_without_a_common_seed_is_told_so(tmp_path, capsys):
    sweep = tmp_path / "uneven"
    write_run(sweep, ["a"], {"a": 0.5}, seed=0)
    for tasks, seed in (("ab", 1), ("bc", 1)):
        write_run(sweep, list(tasks), dict.fromkeys(tasks, 0.5), seed=seed)
    assert main(["gains", str(sweep), "--main", "a"]) == 2
    error = capsys.readouterr().err
    assert "alone with the same seed" in error
    assert "b alone is not finished" not in error


def test_damaged_records_are_named_wherever_gains_or_sets_are_made(tmp_path, capsys):
    sweep = tmp_path / "sweep"
    for seed in range(3):
        for tasks in ("a", "b", "ab"):
            write_run(sweep, list(tasks), dict.fromkeys(tasks, 0.5), seed=seed)
    damaged = sweep / "a+b/seed1/record.json"
    damaged.write_text(damaged.read_text().replace('"seed": 1', '"seed": 2'))
    for arguments in (["gains", sweep], ["gains", sweep, "--format", "csv"]):
        assert main([*map(str, arguments)]) == 0
        assert "a+b/seed1" in "".join(capsys.readouterr())
    out = tmp_path / "set.tar.xz"
    about = ["--title", "t", "--licence", "CC0-1.0"]
    assert main(["results", "make", str(sweep), "--out", str(out), *about]) == 0
    said = capsys.readouterr()
    assert "left out: a+b/seed1: " in said.err
    assert "8 runs" in said.out
    curve = sweep / "a/seed2/curve.csv"
    curve.write_text(curve.read_text().replace("0.45", "0.44", 1))
    assert main(["results", "make", str(sweep), "--out", str(out), *about]) == 0
    said = capsys.readouterr()
    assert "left out: a/seed2: " in said.err and "left out: a+b/seed1: " in said.err
    assert "7 runs" in said.out
