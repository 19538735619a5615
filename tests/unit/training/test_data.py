"""Which batch comes at which step."""

import numpy as np
import pytest

from mtl_bench.errors import UserError
from mtl_bench.models.inputs.prepare import Prepared
from mtl_bench.runs.schedule import Schedule
from mtl_bench.training.data import STEPS_PER_CALL, Batching, TaskDataModule
from mtl_bench.training.samplers.proportional import Proportional
from tests.unit.models._inputs import split, word_input

SPLITS = {"a": split([4] * 60), "b": split([3] * 40, seed=1)}
SCHEDULE = Schedule(tasks=2, budget=65, interval=30)  # 130 steps, evaluated after 60 and 120


def module(seed=0, batching=None, start=0):
    sampler = Proportional({task: len(s) for task, s in SPLITS.items()}, "a", 0.0)
    prepared = Prepared(word_input(), {}, SPLITS, SPLITS, SPLITS, {})
    return TaskDataModule(prepared, sampler, SCHEDULE, batching or Batching(8, seed), start)


def test_chunks_are_short_and_mark_the_evaluation():
    chunks = [c for part in module().intervals for c in module().chunks(part)]
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
        module(batching=Batching(41))
    assert "task 'b' has only 40" in str(error.value)
    assert "data.batch_size=40" in str(error.value)


def test_an_evaluation_holds_every_sentence_or_whole_batches_only():
    sizes = {}
    for drop_last in (False, True):
        data = module(batching=Batching(32, drop_last=drop_last))
        sizes[drop_last] = sum(len(batch.lengths) for batch in data.val_dataloader())
    assert sizes == {False: 100, True: 64}
    with pytest.raises(UserError, match=r"(?s)evaluate on, fewer than a whole batch.*drop_last"):
        small = Prepared(word_input(), {}, SPLITS, {"a": split([3] * 5)}, SPLITS, {})
        TaskDataModule(small, None, SCHEDULE, Batching(8, drop_last=True))
