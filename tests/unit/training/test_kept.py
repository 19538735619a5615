"""Each task keeps the weights of its own best evaluation."""

import io
from dataclasses import dataclass
from functools import partial

import pytest
import torch

from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.tagger import Tagger
from mtl_bench.tasks.types.base import Fitted, Metric
from mtl_bench.tasks.types.tagging import Tagging
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.callbacks.kept import KeptWeights
from tests.unit.models._inputs import tagging, word_input


@dataclass(frozen=True)
class Perplexing(Tagging):
    """Less is better."""

    @property
    def metrics(self):
        return {"perplexity": Metric("perplexity", higher_is_better=False, is_share=False)} | dict(
            super().metrics
        )


class Run:
    """A tagger whose weights are all the number of the last step, and what is kept of it."""

    def __init__(self, best=True, tasks=("a", "b")):
        fitted = {task: tagging() for task in tasks}
        if "less" in fitted:
            type_ = Perplexing("o", None, head=fitted["less"].type.head)
            fitted["less"] = Fitted(type_, fitted["less"].targets)
        encoder = partial(BiLSTM, hidden_size=3, forget_bias=1.0)
        self.tagger = Tagger(word_input(), encoder, fitted, torch.optim.SGD)
        self.curves = Curves("dev")
        self.kept = KeptWeights(self.curves, best)

    def train(self, step):
        self.curves.step = step
        with torch.no_grad():
            for weight in self.tagger.trained_weights().values():
                weight.fill_(step)

    def evaluate(self, step, **scores):
        """Train until a step, where tasks have these scores."""
        self.train(step)
        self.tagger.evaluated = {
            task: {"loss": 1.0, "perplexity": 0.0, "f1": 0.5} | score
            for task, score in scores.items()
        }
        self.kept.on_validation_end(None, self.tagger)

    def result(self):
        """The step that each task kept, after checking that its weights are those of that step."""
        steps = {}
        for kept, tasks in self.kept.by_step(self.tagger):
            self.tagger.load_trained_weights(kept.weights)  # as a run does, to evaluate them
            for name, weight in self.tagger.trained_weights().items():
                assert (weight == kept.step).all(), name
            steps |= dict.fromkeys(tasks, kept.step)
        return steps


def f1(a, b):
    return {"a": {"f1": a}, "b": {"f1": b}}


def test_each_task_keeps_the_weights_of_its_best_evaluation():
    run = Run()
    for step, a, b in ((10, 0.1, 0.6), (20, 0.5, 0.2), (30, 0.4, 0.5)):
        run.evaluate(step, **f1(a, b))
    assert run.result() == {"a": 20, "b": 10}


def test_tasks_that_are_best_at_the_same_step_share_its_weights():
    run = Run()
    run.evaluate(10, **f1(0.1, 0.1))
    run.evaluate(20, **f1(0.2, 0.2))
    assert [(kept.step, tasks) for kept, tasks in run.kept.by_step(run.tagger)] == [
        (20, ["a", "b"])
    ]
    assert run.kept.kept["a"].weights is run.kept.kept["b"].weights


def test_of_equals_the_first_is_kept():
    run = Run()
    for step in (10, 20, 30):
        run.evaluate(step, **f1(0.3, 0.0))
    assert run.result() == {"a": 10, "b": 10}


def test_the_metric_is_the_task_s_own_and_so_is_its_direction():
    run = Run(tasks=("less", "a"))
    for step, less, a in ((10, 9.0, 0.1), (20, 4.0, 0.2), (30, 6.0, 0.3)):
        run.evaluate(step, less={"perplexity": less, "f1": step}, a={"f1": a, "perplexity": less})
    assert run.result() == {"less": 20, "a": 30}


def test_the_last_weights_are_kept_if_that_is_wanted_or_nothing_was_evaluated():
    run = Run(best=False)
    run.evaluate(10, **f1(0.9, 0.9))
    run.train(25)
    assert run.result() == {"a": 25, "b": 25}
    run = Run()
    run.train(5)
    assert run.result() == {"a": 5, "b": 5}


def test_a_task_that_was_not_evaluated_keeps_the_last_weights_beside_one_that_was():
    run = Run()
    run.evaluate(10, a={"f1": 0.2})
    run.train(25)
    assert run.result() == {"a": 10, "b": 25}


def test_training_that_goes_on_does_not_change_what_is_kept():
    run = Run()
    run.evaluate(10, **f1(0.9, 0.9))
    run.train(30)
    assert run.result() == {"a": 10, "b": 10}


def resumed(run):
    """A run that goes on from a checkpoint of another."""
    stream = io.BytesIO()
    torch.save(run.kept.state_dict(), stream)
    stream.seek(0)
    other = Run()
    other.kept.load_state_dict(torch.load(stream, weights_only=True))
    other.train(run.curves.step)
    return other


def test_a_resumed_run_has_kept_the_same_to_the_bit():
    run = Run()
    run.evaluate(10, **f1(0.1, 0.6))
    with torch.no_grad():
        for weight in run.tagger.trained_weights().values():
            weight.normal_()
    run.curves.step = 20
    run.tagger.evaluated = f1(0.5, 0.2)
    run.kept.on_validation_end(None, run.tagger)
    for (kept, tasks), (other, others) in zip(
        run.kept.by_step(run.tagger), resumed(run).kept.by_step(run.tagger), strict=True
    ):
        assert (kept.step, tasks) == (other.step, others)
        assert kept.weights.keys() == other.weights.keys()
        for name, weight in kept.weights.items():
            assert torch.equal(weight, other.weights[name])


@pytest.mark.parametrize(("later", "step"), [(0.4, 10), (0.5, 10), (0.6, 30)])
def test_an_extension_keeps_what_is_better_than_all_before(later, step):
    run = Run()
    run.evaluate(10, **f1(0.5, 0.5))
    run.evaluate(20, **f1(0.4, 0.4))
    longer = resumed(run)
    longer.evaluate(30, **f1(later, 0.9))
    assert longer.result() == {"a": step, "b": 30}


def test_a_checkpoint_holds_no_weights_that_nobody_keeps():
    run = Run()
    for step in (10, 20, 30):
        run.evaluate(step, **f1(step / 100, step / 100))
    assert list(run.kept.state_dict()["weights"]) == [30]
