"""The search for an auxiliary, with runs that are trained in an instant, to known gains."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.recommend.history import History, history_file, read_history
from mtl_bench.analysis.recommend.observations import Curve, SweepCurves
from mtl_bench.analysis.recommend.policies.exhaustive import Exhaustive
from mtl_bench.analysis.recommend.policies.halving import Halving
from mtl_bench.analysis.recommend.policies.pilots import Pilots
from mtl_bench.analysis.recommend.policies.value import Value
from mtl_bench.analysis.recommend.recommendation import recommend
from mtl_bench.analysis.recommend.search import (
    Progress,
    RunRequest,
    Search,
    SearchLimits,
    checked_limits,
)
from mtl_bench.analysis.recommend.wording import next_command, sentences
from mtl_bench.errors import UserError
from mtl_bench.runs.seal import sealed, unsealed

F1 = StudiedMetric("f1", "F1")
BUDGET, INTERVAL = 1000, 50
GAINS = {"a": 6.0, "b": 1.0, "c": -3.0, "d": 0.0, "e": -6.0}


class Disk:
    """Runs of a main task m: their steps, and curves that reach known gains."""

    def __init__(self, gains=GAINS, alone=0.6, fails=()):
        self.gains, self.alone, self.fails = gains, alone, set(fails)
        self.steps: dict[str, int] = {}
        self.failed: set[str] = set()
        self.trained: list[RunRequest] = []

    def launch(self, wanted):
        for run in wanted:
            aux = "+".join(task for task in run.tasks if task != "m")
            self.trained.append(run)
            if aux in self.fails:
                self.failed.add(aux)
            else:
                self.steps[run.name] = len(run.tasks) * run.budget

    def progress(self, prior=None):
        runs = {name: (*name.split("/seed"), steps) for name, steps in self.steps.items()}
        alone, beside = {}, {}
        for tasks, seed, steps in runs.values():
            names = tasks.split("+")
            aux = "+".join(name for name in names if name != "m")
            curve = self.curve(aux, steps / len(names))
            (beside.setdefault(aux, {}) if aux else alone)[int(seed)] = curve
        curves = SweepCurves("m", BUDGET, 1, alone, beside, 0.05) if alone and beside else None
        return Progress(curves, dict(self.steps), prior or {}, self.failed)

    def curve(self, aux, end):
        budgets = np.arange(INTERVAL, end + 1, INTERVAL, dtype=float)
        late = sum(self.gains[name] for name in aux.split("+")) if aux else 0.0
        wave = np.sin(budgets / 40) * (1 - budgets / BUDGET) if aux else 0
        rise = budgets / (budgets + 100)
        return Curve(budgets, self.alone * rise * (1 + (late + wave) / 100), end)


def search(candidates="abcde", policy=None, **limits):
    limits = SearchLimits(**{"budget": 0.5, "max_seeds": 1, **limits})
    grid = list(range(INTERVAL, BUDGET + 1, INTERVAL))
    history = History("m", list(candidates), BUDGET, grid, "value", arguments=["experiment=x"])
    return Search(policy or Value(), limits, history, seed=0, parallel=2)


def finish(one, disk, seconds=1.0, rounds=200):
    """Train what a search wants until it ends."""
    for _ in range(rounds):
        if not (wanted := one.next(disk.progress())):
            return one.history
        disk.launch(wanted)
        one.done(disk.progress(), seconds)
    raise AssertionError("the search does not end")


def answer(one, disk):
    progress = disk.progress()
    return recommend(progress.curves, F1, progress.prior, progress.failed, one.history)


def test_the_best_is_found_for_a_part_of_the_cost():
    one, disk = search(), Disk()
    history = finish(one, disk)
    said = answer(one, disk)
    assert said.choice == "a" == history.rounds[-1].choice
    assert said.cost == history.cost(history.rounds[-1].steps) <= 0.5
    assert said.steps == sum(disk.steps.values())
    steps = [each.steps for each in history.rounds]
    assert steps == sorted(steps)
    assert history.ended in ("regret", "budget", "worth")
    assert next_command(said) == "python train.py experiment=x main=m 'aux=[a]'"
    assert any("Recommended: a." in line for line in sentences(said))


@settings(max_examples=25)
@given(
    st.lists(st.floats(-8, 8), min_size=1, max_size=6),
    st.floats(0.3, 1.0),
    st.integers(1, 3),
    st.sampled_from([Value, Exhaustive, lambda: Halving([0.2, 0.4, 1.0]), lambda: Pilots(0.5)]),
)
def test_a_search_ends_within_its_budget_whatever_the_gains(gains, budget, seeds, policy):
    disk = Disk({f"x{n}": gain for n, gain in enumerate(gains)})
    one = search(disk.gains, policy(), budget=budget, max_seeds=seeds)
    try:
        history = finish(one, disk)
    except UserError as error:
        assert "allows no run" in str(error)
        return
    everything = (2 * len(gains) + 1) * BUDGET
    assert sum(disk.steps.values()) <= budget * everything + 1e-6
    assert history.steps(disk.steps) == sum(disk.steps.values())
    assert all(run.budget % INTERVAL == 0 for run in disk.trained)


def test_a_search_that_is_stopped_after_every_round_does_the_same(tmp_path):
    undisturbed, disk = search(), Disk()
    finish(undisturbed, disk)
    other = Disk()
    one = search()
    while wanted := one.next(other.progress()):
        other.launch(wanted)
        one.done(other.progress(), 1.0)
        one.history.write(tmp_path)
        one = replace(one, history=read_history(tmp_path, "m"))
    assert other.steps == disk.steps
    assert one.history == undisturbed.history


def test_a_search_killed_in_the_middle_of_rounds_does_the_same(tmp_path):
    undisturbed, disk = search(), Disk()
    finish(undisturbed, disk)
    one, other = search(), Disk()
    while wanted := one.next(other.progress()):
        one.history.write(tmp_path)
        other.launch(wanted[:1])  # and no `done`: the command is killed
        one = replace(one, history=read_history(tmp_path, "m"))
    assert other.steps == disk.steps
    assert one.history.steps(other.steps) == sum(other.steps.values())
    for before, after in zip(undisturbed.history.rounds, one.history.rounds, strict=True):
        assert replace(after, seconds=1.0) == before


def test_what_was_there_before_is_used_and_costs_nothing():
    disk = Disk()
    names = [("m",), ("a", "m"), ("b", "m"), ("c", "m"), ("d", "m"), ("e", "m")]
    disk.launch([RunRequest("m", tasks, BUDGET, 0) for tasks in names])
    one = search()
    assert one.next(disk.progress()) == []
    assert one.history.ended in ("regret", "done")
    said = answer(one, disk)
    assert (said.choice, said.cost) == ("a", 0)


def test_what_others_train_between_costs_nothing():
    one, disk = search(budget=0.3), Disk()
    history = finish(one, disk)
    cost = answer(one, disk).cost
    disk.launch([RunRequest("m", tasks, BUDGET, 0) for tasks in (("m",), ("a", "m"))])
    assert answer(one, disk).cost == cost
    reached = disk.steps["b+m/seed0"]
    disk.steps["b+m/seed0"] += 2 * INTERVAL
    history.buy("b+m/seed0", disk.steps["b+m/seed0"], 2 * BUDGET)
    disk.launch([RunRequest("m", ("b", "m"), BUDGET, 0)])
    more = 2 * BUDGET - reached - 2 * INTERVAL
    assert history.steps(disk.steps) == cost * history.budget * history.everything + more


@pytest.mark.parametrize("alone", [0.0, 0.03])
def test_a_main_task_that_scores_too_little_alone_ends_the_search_and_is_named(alone):
    one, disk = search(policy=Pilots(0.5), budget=1.0), Disk(alone=alone)
    disk.launch([RunRequest("m", ("m",), BUDGET, 0), RunRequest("m", ("a", "m"), BUDGET, 0)])
    assert finish(one, disk).ended == "score"
    assert len(disk.trained) == 2
    with pytest.raises(UserError, match=r"m: nothing can be said of gains, since its F1 alone is"):
        answer(one, disk)


def test_a_candidate_that_fails_is_left_out_and_reported():
    one, disk = search(), Disk(fails=["a"])
    finish(one, disk)
    said = answer(one, disk)
    assert said.choice == "b"
    assert sum("a" in run.tasks for run in disk.trained) == 1
    assert [row.status for row in said.rows if row.aux == "a"] == ["failed"]
    assert any(line.startswith("Failed: a.") for line in sentences(said))


def test_a_search_whose_candidates_all_fail_ends():
    one, disk = search("ab"), Disk(fails=["a", "b"])
    history = finish(one, disk)
    assert history.ended == "failed"
    assert disk.progress().curves is None


def test_other_candidates_are_another_question():
    one, disk = search("ce"), Disk()
    finish(one, disk)
    before = one.history.steps(disk.steps)
    one.history.ask(["b", "c"])
    assert one.history.steps(disk.steps) < before  # what was bought for e does not count
    finish(one, disk)
    said = answer(one, disk)
    assert {row.aux for row in said.rows} == {"b", "c"}
    assert said.cost <= 0.5


def test_what_is_no_longer_asked_for_is_left_out_of_the_round_under_way():
    one, disk = search("abc", max_aux=2), Disk()
    one.history.candidates += ["a+b", "a+c"]
    one.history.pending = [(["a", "m"], 100, 0), (["a", "b", "m"], 100, 0), (["m"], 100, 0)]
    one.history.ask(["a", "c"])
    assert one.history.candidates == ["a", "c"]
    assert one.history.pending == [(["a", "m"], 100, 0), (["m"], 100, 0)]
    assert [run.tasks for run in one.next(disk.progress())] == [("a", "m"), ("m",)]


def test_an_answer_on_disk_needs_no_budget():
    disk = Disk()
    names = [("m",), ("a", "m"), ("b", "m")]
    disk.launch([RunRequest("m", tasks, BUDGET, 0) for tasks in names])
    one = search("ab", budget=0.01, max_seeds=3, regret=None)
    assert one.next(disk.progress()) == []
    assert one.history.ended in ("budget", "worth", "done")


def test_gains_over_an_early_small_score_are_not_believed():
    class Late(Disk):
        def curve(self, aux, end):
            curve = super().curve(aux, end)
            rise = np.where(curve.budgets <= 200, 0.02 if not aux else 0.2, 1.0)
            return replace(curve, scores=curve.scores * rise)

    disk = Late()
    disk.launch([RunRequest("m", ("a", "m"), 200, 0), RunRequest("m", ("m",), 200, 0)])
    assert not search().state(disk.progress()).candidates[0].is_observed()  # alone under 5 points
    disk.launch([RunRequest("m", ("m",), 400, 0)])
    assert not search().state(disk.progress()).candidates[0].is_observed()
    disk.launch([RunRequest("m", ("a", "m"), 400, 0)])
    assert search().state(disk.progress()).candidates[0].is_observed()


def test_a_limit_in_points_waits_until_a_point_is_known():
    one, disk = search("ab", regret=50.0), Disk({"a": 5.0, "b": 0.0})
    disk.launch([RunRequest("m", t, 300, 0) for t in (("m",), ("a", "m"), ("b", "m"))])
    assert one.state(disk.progress()).limits.regret == 0
    disk.launch([RunRequest("m", t, 500, 0) for t in (("m",), ("a", "m"), ("b", "m"))])
    assert one.state(disk.progress()).limits.regret > 50


def test_none_is_an_answer():
    one, disk = search("ce"), Disk()
    finish(one, disk)
    said = answer(one, disk)
    assert said.choice is None
    assert "None of them: train m alone." in sentences(said)[0]
    assert next_command(said) == "python train.py experiment=x main=m"


def test_a_second_auxiliary_is_tried_where_one_helps():
    gains = {"a": 6.0, "b": 4.0} | dict.fromkeys("cdef", -12.0)
    one, disk = search(gains, budget=1.0, max_aux=2, regret=0.5), Disk(gains)
    finish(one, disk)
    assert set(one.history.candidates) - set(gains) == {f"a+{name}" for name in "bcdef"}
    assert answer(one, disk).choice == "a+b"
    alone, disk = search("ce", budget=1.0, max_aux=2), Disk()
    finish(alone, disk)
    assert alone.history.candidates == ["c", "e"]


def test_further_seeds_are_bought_where_noise_hides_the_best():
    class Noisy(Disk):
        def curve(self, aux, end):
            curve = super().curve(aux, end)
            noise = np.random.default_rng(len(aux)).normal(0, 0.03, len(curve.scores))
            return replace(curve, scores=curve.scores * (1 + noise))

    one = search("ab", budget=1.0, max_seeds=3, regret=None)
    disk = Noisy({"a": 1.0, "b": 0.8})
    disk.launch([RunRequest("m", tasks, BUDGET, 0) for tasks in (("m",), ("a", "m"), ("b", "m"))])
    wanted = one.next(disk.progress())
    assert {run.seed for run in wanted} == {1}
    assert RunRequest("m", ("m",), BUDGET, 1) in wanted  # gains compare runs of one seed
    finish(one, disk)
    assert one.history.ended == "budget"


def test_a_time_limit_ends_a_search():
    one, disk = search(max_seconds=10), Disk()
    history = finish(one, disk, seconds=6)
    assert history.ended == "seconds"
    assert len(history.rounds) <= 2


def test_gains_over_0_are_undefined_and_the_search_ends():
    one, disk = search(), Disk(alone=0.0)
    finish(one, disk)
    with pytest.raises(
        UserError, match=r"nothing can be said of gains, since its F1 alone is 0\.0 %"
    ):
        answer(one, disk)


def test_a_budget_that_buys_nothing_says_what_is_needed():
    with pytest.raises(UserError, match=r"budget=0.01 allows no run.* Type budget=0.028 or more"):
        search(budget=0.01).next(Disk().progress())
    assert search(budget=0.028).next(Disk().progress())


def test_requests_round_up_to_evaluations():
    one = search()
    one.history.evaluated = [400, 800]
    assert {run.budget for run in one.next(Disk().progress())} == {400}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"budget": 0}, "budget=0 is not a share above 0, at most 1."),
        ({"budget": 1.2}, "budget=1.2 is not"),
        ({"budget": None}, "budget=None is not"),
        ({"regret": -1}, "regret=-1 is not a number of points above 0, or null."),
        ({"regret": math.nan}, "regret=nan is not"),
        ({"confidence": 1}, "confidence=1 is not a probability above 0 and below 1, or null."),
        ({"max_seeds": 1.5}, "max_seeds=1.5 is not a whole number from 1."),
        ({"max_aux": True}, "max_aux=True is not a whole number from 1."),
        ({"max_seconds": "x"}, "max_seconds=x is not a number of seconds"),
    ],
)
def test_limits_are_checked(values, message):
    with pytest.raises(UserError) as error:
        checked_limits(values)
    assert message in str(error.value)


def test_null_means_no_limit():
    limits = checked_limits({"regret": None, "confidence": None, "max_seconds": None})
    assert (limits.regret, limits.confidence, limits.max_seconds) == (None, None, None)


@pytest.mark.parametrize("content", ["{", "[]", '{"main": "m"}', '{"rounds": [{"x": 1}]}'])
def test_a_damaged_history_is_named(content, tmp_path):
    file = history_file(tmp_path, "m")
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(UserError, match=r"m\.json.* Remove it: the runs stay"):
        read_history(tmp_path, "m")
    assert read_history(tmp_path, "n") is None


def test_a_history_of_another_schema_is_named(tmp_path):
    one = search()
    one.history.write(tmp_path)
    file = history_file(tmp_path, "m")
    content = unsealed(file.read_text())
    content |= {"schema_version": 1, "bought": {"m/seed0": 7}}
    file.write_text(sealed(content))
    with pytest.raises(UserError, match="has schema version 1; this program reads 2"):
        read_history(tmp_path, "m")
