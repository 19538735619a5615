"""The schedule: total steps, and an evaluation grid that no budget changes."""

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.runs.schedule import Schedule, budget_of, evaluation_grid

INTERVALS = st.none() | st.integers(1, 300)


@given(st.integers(1, 4), st.integers(1, 3000), st.integers(0, 3000), INTERVALS)
def test_a_longer_run_has_the_evaluations_of_a_shorter_one(tasks, budget, more, interval):
    short = Schedule(tasks, budget, interval).evaluations()
    assert Schedule(tasks, budget + more, interval).evaluations()[: len(short)] == short


@given(st.integers(1, 4), st.integers(1, 3000), INTERVALS)
def test_single_and_pair_runs_are_evaluated_at_the_same_budgets(tasks, budget, interval):
    single = Schedule(1, budget, interval).evaluations()
    assert Schedule(tasks, budget, interval).evaluations() == [tasks * step for step in single]


@given(st.integers(1, 4), st.integers(1, 900), st.integers(0, 4000), INTERVALS)
def test_intervals_are_the_steps_left_in_order(tasks, budget, start, interval):
    schedule = Schedule(tasks, budget, interval)
    steps = [step for part in schedule.intervals(start) for step in part]
    assert steps == list(range(start, schedule.steps))
    ends = {part.stop for part in schedule.intervals(start)}
    assert ends <= {*schedule.evaluations(), schedule.steps}


def test_the_grid_is_dense_early_and_sparse_late():
    budgets = list(islice(evaluation_grid(None), 80))
    gaps = [after - before for before, after in pairwise(budgets)]
    assert gaps == sorted(gaps)
    assert len([budget for budget in budgets if budget <= 2000]) == 34
    assert {100, 200, 500, 1000, 2000, 5000, 25000} <= set(budgets)


def test_the_smaller_of_both_limits_counts():
    # The first edition planned 5,000 steps here, and trained 100.
    budget = budget_of(steps_per_task=50, max_steps=5000, tasks=2)
    assert Schedule(2, budget).steps == 100
    assert Schedule(2, budget_of(2000, 70, 2)).steps == 70
    assert Schedule(3, budget_of(2000, 70, 3)).steps == 70


@pytest.mark.parametrize("steps", [1, 7, 299, 300])
def test_a_schedule_can_end_at_any_step(steps):
    assert Schedule(3, 100).until(steps).steps == steps
