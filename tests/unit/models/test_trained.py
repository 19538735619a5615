"""A trained tagger in use: what it predicts, how sure it is, how well it does."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.heads.base import Head
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.trained import Conditions, TrainedTagger
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.labels import Labels
from mtl_bench.tasks.types.tagging import Tagging
from tests.unit.models._inputs import HEAD, tagging, word_input

ENCODER = partial(BiLSTM, hidden_size=6, forget_bias=1.0)
SENTENCES = [["w1", "never seen", "w2"], [], ["w3"], ["w4"] * 40]


def tagger(tasks=("a", "b"), fitted=None):
    torch.manual_seed(0)
    model = Tagger(
        word_input(), ENCODER, dict.fromkeys(tasks, fitted or tagging()), torch.optim.SGD
    )
    return model.eval()


def trained(conditions=None, **options):
    """One tagger of two tasks."""
    model = tagger(**options)
    return TrainedTagger(dict.fromkeys(model.tasks, model), "b", conditions)


def examples(count=10, labels=("x", "y", "o")):
    """Sentences of 1 to 10 words, their labels in turn."""
    return [
        Example(
            tuple(f"w{(n * k) % 40}" for k in range(1 + n % 10)),
            tuple(labels[(n + k) % len(labels)] for k in range(1 + n % 10)),
        )
        for n in range(count)
    ]


def test_the_main_task_is_tagged_where_none_is_named():
    model = trained()
    assert list(model.tasks) == ["b", "a"]
    assert model.tag(SENTENCES) == model.tag(SENTENCES, "b")
    assert model.tag(SENTENCES) != model.tag(SENTENCES, "a")
    assert [len(labels) for labels in model.tag(SENTENCES)] == [3, 0, 1, 40]
    assert model.tag([]) == model.tag_tasks([], ["a"])["a"].targets == []


def test_a_score_is_the_probability_of_the_label_among_those_of_words():
    model = trained()
    targets, scores = model.tag_tasks(SENTENCES, ["a"], scores=True)["a"]
    assert [len(of) for of in scores] == [3, 0, 1, 40]
    inner = model._taggers["a"]
    split = inner.input.encode([SENTENCES[0]])
    batch = inner.input.collate("a", split, np.array([0]))
    with torch.no_grad():
        probabilities = inner(batch)[batch.order][1:-1, :3].softmax(1)
    torch.testing.assert_close(torch.tensor(scores[0]), probabilities.amax(1))
    assert [inner.head("a").labels.names[n] for n in probabilities.argmax(1)] == targets[0]
    assert model.tag_tasks(SENTENCES, ["a"])["a"].scores is None


@given(st.lists(st.lists(st.sampled_from(["w1", "w2", "W3", "new", "a b", ""]), max_size=9)))
def test_sentences_do_not_depend_on_one_another(sentences):
    model = trained()
    together = model.tag_tasks(sentences, ["a"], scores=True)["a"]
    for sentence, labels, scores in zip(sentences, *together, strict=True):
        assert len(labels) == len(scores) == len(sentence)
        assert set(labels) <= {"x", "y", "o"}
        assert all(1 / 3 - 1e-6 <= score <= 1 for score in scores)
        assert model.tag([sentence], "a") == [labels]


def test_what_tasks_share_is_computed_once(monkeypatch):
    counts = {"encode": 0, "states": 0}

    def counted(name, function):
        def call(*arguments, **options):
            counts[name] += 1
            return function(*arguments, **options)

        return call

    shared, other = tagger(("a", "b")), tagger(("c",))
    other.input = shared.input  # as `load_taggers` shares one that is not trained
    monkeypatch.setattr(shared.input, "encode", counted("encode", shared.input.encode))
    for model in (shared, other):
        monkeypatch.setattr(model, "states", counted("states", model.states))
    model = TrainedTagger({"a": shared, "b": shared, "c": other}, "a")
    tagged = model.tag_tasks(SENTENCES, ["c", "b", "a"])
    assert list(tagged) == ["c", "b", "a"]
    assert counts == {"encode": 1, "states": 2}


def test_mistakes_are_answered():
    model = trained()
    with pytest.raises(UserError, match=r"the tagger has no task 'c'\. Its tasks: b, a"):
        model.tag(SENTENCES, "c")
    with pytest.raises(UserError, match=r"a sentence is 'The cat'.*\['The', 'cat'\]"):
        model.tag(["The cat"])
    with pytest.raises(UserError, match="there is no sentence to evaluate on"):
        model.evaluate([])
    wrong = [Example(("w1", "w2"), ("x",))]
    with pytest.raises(UserError, match="task 'b', sentence 1: it has 2 words and 1 labels"):
        model.evaluate(wrong)
    with pytest.raises(
        UserError, match=r"no label of the data is one of the tagger's\.\n  data: q"
    ):
        model.evaluate(examples(labels=["q"]))


def test_a_head_without_probabilities_says_so(monkeypatch):
    model = trained()
    monkeypatch.setattr(type(model._taggers["a"].head("a")), "scores", Head.scores)
    with pytest.raises(UserError, match="TaggingHead has no probabilities"):
        model.tag_tasks(SENTENCES, ["a"], scores=True)


def test_an_evaluation_counts_as_training_does_and_begins_anew():
    model = trained()
    with torch.no_grad():
        model._taggers["a"].head("a").output.bias[3:] = -100  # it would learn so: no boundary label
    data = examples(labels=("x", "y", "o", "new"))
    values = model.evaluate(data, "a")
    labels = model.tag([example.words for example in data], "a")
    pairs = [
        (gold, predicted)
        for example, of in zip(data, labels, strict=True)
        for gold, predicted in zip(example.target, of, strict=True)
    ]
    assert values["accuracy"] == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    assert values["unseen_labels"] == sum(gold == "new" for gold, _ in pairs) > 0
    assert values.keys() == {"loss", "f1", "precision", "recall", "accuracy", "unseen_labels"}
    assert model.evaluate(data, "a") == values
    assert model.evaluate(examples(), "a")["unseen_labels"] == 0


def test_labels_unseen_in_training_make_spans():
    labels = Labels(["B-x", "I-x", "O"])
    model = trained(fitted=Fitted(Tagging("O", "bio", head=HEAD), labels))
    with torch.no_grad():
        for task in "ab":
            model._taggers[task].head(task).output.bias[2] = 100.0  # whatever it reads, O
    data = [Example(("w1", "w2"), ("B-y", "O"))]
    values = model.evaluate(data, "a")
    assert (values["span_recall"], values["accuracy"], values["unseen_labels"]) == (0, 0.5, 1)
    # The tagger itself learned nothing of the label.
    assert labels.unseen == model.tasks["a"].targets.unseen == ()


def test_an_evaluation_leaves_out_what_those_of_the_run_left_out():
    data = examples(10)
    cut = [Example(words[:3], target[:3]) for words, target in data]
    whole = trained().evaluate
    assert trained(Conditions({"a": 3})).evaluate(data, "a") == whole(cut, "a")
    assert trained(Conditions({"a": 3})).evaluate(data, "b") == whole(data, "b")
    assert trained(Conditions(whole=4)).evaluate(data, "a") == whole(data[:8], "a")
    limited = trained(Conditions({"a": 3}, whole=4))
    assert limited.evaluate(data, "a", complete=True) == whole(data, "a")
    with pytest.raises(UserError, match=r"there are 3 sentences.*batches of 4 only"):
        limited.evaluate(data[:3])
    assert limited.evaluate(data[:3], complete=True)


def test_threads_are_those_of_the_run_while_the_tagger_works(monkeypatch):
    before = torch.get_num_threads()
    model = trained(Conditions(threads=3))
    seen = []
    inner = model._taggers["a"]
    original = inner.states
    monkeypatch.setattr(
        inner, "states", lambda batch: seen.append(torch.get_num_threads()) or original(batch)
    )
    model.tag(SENTENCES)
    assert set(seen) == {3}
    assert torch.get_num_threads() == before
