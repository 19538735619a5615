"""Which batch comes at which step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.training.data import STEPS_PER_CALL, Schedule, TaskDataModule
from mtl_bench.training.samplers.proportional import Proportional
from tests.unit.models._inputs import split

SPLITS = {"a": split([4] * 60), "b": split([3] * 40, seed=1)}


def module(steps=130, start=0, seed=0, batch_size=8, splits=SPLITS):
    sampler = Proportional({task: len(s) for task, s in splits.items()}, "a", 0.0)
    schedule = Schedule(steps, 60, start)
    return TaskDataModule(splits, splits, splits, sampler, schedule, batch_size, seed)


@given(st.integers(1, 300), st.integers(1, 70), st.integers(0, 300))
def test_intervals_hold_the_steps_left_and_end_at_the_same_places(steps, interval, start):
    start = min(start, steps)
    left = Schedule(steps, interval, start).intervals()
    whole = Schedule(steps, interval).intervals()
    assert [step for part in left for step in part] == list(range(start, steps))
    assert [part.stop for part in left] == [p.stop for p in whole if p.stop > start]


def test_chunks_are_short_and_mark_the_evaluation():
    chunks = [c for part in module().schedule.intervals() for c in module().chunks(part)]
    assert [len(c.steps) for c in chunks] == [50, 10, 50, 10, 10]
    assert [c.last_of_interval for c in chunks] == [False, True, False, True, True]
    assert all(len(c.batches) == len(c.steps) <= STEPS_PER_CALL for c in chunks)


def test_a_batch_follows_from_seed_and_step():
    one, other = module().draw(17), module(start=10).draw(17)
    assert one.task == other.task
    assert np.array_equal(one.words, other.words)
    words = {module(seed=seed).draw(17).words.tolist().__str__() for seed in range(5)}
    assert len(words) == 5


def test_a_batch_larger_than_a_corpus_is_refused():
    with pytest.raises(UserError) as error:
        module(batch_size=41)
    assert "task 'b' has only 40" in str(error.value)
    assert "data.batch_size=40" in str(error.value)
