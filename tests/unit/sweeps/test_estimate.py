"""How long a sweep will take, from two short trials."""

from types import SimpleNamespace

import pytest

from mtl_bench.sweeps.estimate import Timing, cost, seconds_left


@pytest.mark.parametrize("reading", [0.0, 20.0, 2000.0])
def test_reading_a_cold_cache_is_no_part_of_a_step(reading):
    # 10 ms a step, 0.5 s an evaluation, 2 s of rest, and a cache that the first trial fills.
    short, long = Timing(8, 0.58, 2.0 + reading), Timing(24, 0.74, 2.0)
    step, rest = cost(short, long)
    assert step == pytest.approx(0.01)
    assert rest == pytest.approx(2.5)


def test_a_busy_machine_gives_no_step_for_nothing():
    step, rest = cost(Timing(8, 3.0, 1.0), Timing(24, 2.4, 1.0))
    assert (step, rest) == pytest.approx((0.1, 1.0))


def test_an_extended_run_counts_all_of_its_processes():
    record = SimpleNamespace(
        status="finished", steps_done=4000, timings={"wall_seconds": 11.0, "train_seconds": 20.0}
    )
    job = SimpleNamespace(status=SimpleNamespace(record=record))
    plan = SimpleNamespace(jobs=[job], steps_left=lambda: 1000)
    assert seconds_left(plan, 2) == pytest.approx(2.5)
