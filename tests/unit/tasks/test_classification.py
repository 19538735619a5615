"""One class a sentence: read, guessed, checked, trained, scored, saved."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from torch.nn import functional as F

import mtl_bench
from mtl_bench.__main__ import main as bench
from mtl_bench.config.tasks import make_reader, make_type
from mtl_bench.errors import UserError
from mtl_bench.models.heads.classification import ClassificationHead
from mtl_bench.models.inputs.batches import collate
from mtl_bench.tasks.checks.examine import examine
from mtl_bench.tasks.definition import Split, Task
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.tasks.types.classes import Classes
from mtl_bench.tasks.types.classification import Classification, ClassScorer
from tests.unit.models._inputs import split

TEXTS = {
    "good": "A fine film, it's great!",
    "bad": "Dull and far too long.",
    "fair": "Not that bad.",
}
READERS = "mtl_bench.tasks.readers"


def lines(count=40, names=("good", "bad")):
    return [(names[n % len(names)], f"{TEXTS[names[n % len(names)]]} {n}") for n in range(count)]


def write(folder, form, rows, name="train"):
    """Write rows of (class, text) in a format; return the file."""
    file = folder / f"{name}.{form.split('-')[0]}"
    texts = {
        "jsonl": lambda c, t: json.dumps({"text": t, "label": c}),
        "tsv": lambda c, t: f"{c}\t{t}",
        "csv": lambda c, t: f'"{t}",{c}',
        "csv-header": lambda c, t: f'{c},"{t}"',
    }
    start = ["Sentiment,Review"] if form == "csv-header" else []
    file.write_text("\n".join([*start, *(texts[form](*row) for row in rows)]) + "\n")
    return file


def corpus_of(train, test=None, reader=None, type_="classification", folder="/"):
    reader = reader or {
        "_target_": f"{READERS}.text_columns.TextColumnReader",
        "text": 2,
        "label": 1,
    }
    task = Task("mine", reader, {}, type=type_, folder=folder)
    task.splits = {"train": Split(str(train)), "test": Split(str(test or train))}
    return load_corpus("mine", task, make_reader("mine", task), make_type("mine", task))


@pytest.mark.parametrize("form", ["jsonl", "tsv", "csv", "csv-header"])
def test_the_doctor_tells_texts_from_labelled_words(form, tmp_path, capsys):
    train = write(tmp_path, form, lines())
    test = write(tmp_path, form, lines(10)[::-1], "test")
    code = bench(["check", str(train), str(test), "--save"])
    out = capsys.readouterr().out
    assert "its type is classification" in out
    assert "2 classes in train: good 20, bad 20." in out
    assert code == 0 or "stand in train" in out
    yaml = next(tmp_path.glob("*.yaml"), None)
    if code == 0:
        assert "type: classification" in yaml.read_text()
        assert "outside" not in yaml.read_text()


def test_words_with_labels_are_still_told(tmp_path, capsys):
    file = tmp_path / "words.tsv"
    file.write_text("".join(f"A\tDT\nword{n}\tNN\nhere\tRB\n\n" for n in range(30)))
    bench(["check", str(file)])
    out = capsys.readouterr().out
    assert "classification" not in out
    assert "column 2" in out


@pytest.mark.parametrize(
    ("form", "content", "message"),
    [
        ("jsonl", '{"text": "a b c", "label": 1.5}', "is 1.5, not one class"),
        ("jsonl", '{"text": 3, "label": "x"}', "neither a text nor a list of words"),
        ("jsonl", '{"txt": "a b", "label": "x"}', "has no key 'text'. Keys: txt, label."),
        ("jsonl", '{"text": "a b", "label": " "}', "the class is missing"),
        ("jsonl", '{"text": "a b", "label": "x"', "is not JSON"),
        ("jsonl", '["a"]', "expected an object"),
        ("tsv", "good", "1 column where at least 2 are expected"),
        ("tsv", " \tA text.", "column 1: the class is missing"),
        ("csv", '"good,A text', "cannot be read as CSV"),
    ],
)
def test_a_damaged_line_is_named(form, content, message, tmp_path):
    rows = [{"jsonl": '{"text": "a b", "label": "x"}', "tsv": "x\ta b", "csv": "x,a b"}[form]]
    file = tmp_path / f"train.{form}"
    file.write_text("\n".join([*rows, content]) + "\n")
    reader = {"_target_": f"{READERS}.json_texts.JsonTextReader"} if form == "jsonl" else None
    if form == "csv":
        reader = {
            "_target_": f"{READERS}.text_columns.TextColumnReader",
            "text": 2, "label": 1, "separator": "comma",
        }  # fmt: skip
    with pytest.raises(UserError, match=rf"train\.{form}, line 2: .*") as error:
        corpus_of(file, reader=reader)
    assert message in str(error.value)


def test_texts_become_words_and_empty_ones_are_counted(tmp_path):
    file = tmp_path / "train.tsv"
    file.write_text("good\tIt's fine, isn't it?\nbad\t \n\nbad\tno\n")
    corpus = corpus_of(file)
    assert [e.words for e in corpus["train"]] == [
        ("It's", "fine", ",", "isn't", "it", "?"),
        ("no",),
    ]
    assert str(corpus.remarks[0]) == "train.tsv: texts without words left out: 1, first in line 2"


def test_a_quoted_text_may_have_several_lines(tmp_path):
    file = tmp_path / "train.csv"
    file.write_text('label,text\ngood,"One line,\nand ""another""."\nbad,"no"\n')
    reader = {
        "_target_": f"{READERS}.text_columns.TextColumnReader",
        "text": 2, "label": 1, "separator": "comma", "header": True,
    }  # fmt: skip
    first, second = corpus_of(file, reader=reader)["train"]
    assert first.words == ("One", "line", ",", "and", '"', "another", '"', ".")
    assert second == Example(("no",), "bad")


def test_numbers_get_their_names(tmp_path):
    file = tmp_path / "train.jsonl"
    file.write_text('{"text": "a b", "label": 1}\n{"text": "a", "label": "0"}\n')
    reader = {"_target_": f"{READERS}.json_texts.JsonTextReader", "classes": ["bad", "good"]}
    assert [e.target for e in corpus_of(file, reader=reader)["train"]] == ["good", "bad"]
    file.write_text('{"text": "a b", "label": 2}\n')
    with pytest.raises(
        UserError, match="line 1: class '2' is none of bad, good, nor a number from"
    ):
        corpus_of(file, reader=reader)
    for classes, message in (
        ("good", "is not a list"),
        ([True, "a"], "different names"),
        ([], "different names"),
    ):
        with pytest.raises(UserError, match=message):
            corpus_of(file, reader={**reader, "classes": classes})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": 1}, "They are two columns"),
        ({"text": True}, "They are two columns"),
        ({"separator": "blank"}, "is none of tab, comma"),
        ({"header": 1}, "neither true nor false"),
    ],
)
def test_options_of_the_reader_are_checked(options, message, tmp_path):
    reader = {"_target_": f"{READERS}.text_columns.TextColumnReader", "text": 2, "label": 1}
    with pytest.raises(UserError, match=message):
        corpus_of(write(tmp_path, "tsv", lines()), reader={**reader, **options})


def test_findings_on_classes(tmp_path):
    rows = [*lines(30), ("Good", "Yes."), ("odd", "Once only.")]
    train = write(tmp_path, "tsv", rows)
    test = write(tmp_path, "tsv", [("new", "A b."), *lines(4)[:1]], "test")
    texts = [f.text for f in examine(corpus_of(train, test))]
    assert any(t.startswith("4 classes in train: good 15, bad 15") for t in texts)
    assert any("2 classes of train with one sentence: Good (1), odd (1)" in t for t in texts)
    assert any("differ in case only: good and Good" in t for t in texts)
    assert any("test has 1 class that train has not: new (1)" in t for t in texts)
    other = write(tmp_path, "tsv", [("new", "A b.")] * 4, "test")
    with pytest.raises(UserError, match="no class in common"):
        corpus_of(train, other).refuse_unusable("test")
    single = write(tmp_path, "tsv", [("a", f"word {n}") for n in range(9)], "single")
    assert any("leaves nothing to learn" in f.text for f in examine(corpus_of(single)))


def test_a_type_takes_options_beside_its_name(tmp_path):
    file = write(tmp_path, "tsv", lines())
    mean = corpus_of(file, type_={"name": "classification", "pooling": "mean"})
    assert mean.type.pooling == "mean"
    for type_, message in (
        ({"name": "classification", "pooling": "max"}, "one of attention, mean"),
        ({"name": "classification", "pool": "max"}, "has no option pool. Possible: pooling"),
        ({"name": "classify"}, "there is no type 'classify'. Possible: classification"),
    ):
        with pytest.raises(UserError, match=message):
            corpus_of(file, type_=type_)


def test_labelled_words_are_no_classes(tmp_path):
    (tmp_path / "words.tsv").write_text("A\tDT\nword\tNN\n\n")
    reader = {"_target_": f"{READERS}.columns.ColumnReader", "word": 1, "label": 2}
    with pytest.raises(UserError, match="it is the class of the sentence, as text"):
        corpus_of(tmp_path / "words.tsv", reader=reader)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 3)), min_size=1, max_size=40))
def test_scores_are_those_of_scikit_learn(pairs):
    scorer = ClassScorer(Classes(["a", "b", "c", "d"], unseen=["e", "f"]))
    predicted, gold = (np.array(each) for each in zip(*pairs, strict=True))
    half = len(gold) // 2
    for part in (slice(None, half), slice(half, None)):
        scorer.update(predicted[part], gold[part], np.ones(len(gold[part]), dtype=int))
    result = scorer.compute()
    assert result["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    expected = f1_score(gold, predicted, average="macro", zero_division=0)
    assert result["macro_f1"] == pytest.approx(expected)
    assert result["unseen_labels"] == (gold < 0).sum()


def head(pooling, size=5):
    torch.manual_seed(0)
    fitted = Fitted(Classification(pooling), Classes(["a", "b", "c"]))
    return ClassificationHead(size, fitted).double()


@pytest.mark.parametrize("pooling", ["attention", "mean"])
def test_states_are_pooled_sentence_by_sentence(pooling):
    own = head(pooling)
    sentences = split([4, 7, 2])
    sentences = replace(sentences, targets=np.array([0, 2, 1]), level="sentence")
    batch = collate("t", sentences, np.array([2, 0, 1]))
    states = torch.randn(len(batch), 5, dtype=torch.float64)
    outputs = own(states, batch)
    start = 0
    for number, length in enumerate(batch.lengths.tolist()):
        rows = states[batch.order][start : start + length]
        start += length
        if pooling == "attention":
            weights = own.weight(torch.tanh(own.hidden(rows))).softmax(0)
        else:
            weights = torch.full((length, 1), 1 / length, dtype=torch.float64)
        torch.testing.assert_close(outputs[number], own.output((weights * rows).sum(0)))
    torch.testing.assert_close(own.loss(outputs, batch), F.cross_entropy(outputs, batch.targets))
    assert torch.autograd.gradcheck(
        lambda s: own.loss(own(s, batch), batch), states.requires_grad_(True)
    )


def test_unseen_classes_have_no_loss_and_count_as_misses():
    own = head("mean")
    sentences = replace(split([4, 7]), targets=np.array([-1, 2]), level="sentence")
    batch = collate("t", sentences, np.arange(2))
    result = own.evaluate(own(torch.randn(len(batch), 5, dtype=torch.float64), batch), batch)
    assert result.weights.tolist() == [False, True]
    assert result.losses[0] == 0
    assert result.lengths.tolist() == [2, 5]


def test_balanced_classes_have_the_same_share():
    own = head("mean")
    own.balance(np.array([0, 0, 0, 1, 2, 2]))
    assert (own.class_weights * torch.tensor([3, 1, 2])).tolist() == pytest.approx([2, 2, 2])


def test_a_class_is_learned_beside_a_tagging_task_and_used(tmp_path, command, monkeypatch):
    words = {"good": "fine great lovely", "bad": "dull long boring"}
    draw = np.random.default_rng(0)
    for name, count in (("train", 200), ("test", 60)):
        rows = []
        for n in range(count):
            label = "good" if n % 2 else "bad"
            text = [*draw.choice(["the", "film", "was", "a"], 4), draw.choice(words[label].split())]
            rows.append((label, " ".join(draw.permutation(text))))
        write(tmp_path, "tsv", rows, name)
    (tmp_path / "mood.yaml").write_text(
        "title: mood\ntype: classification\n"
        f"reader: {{_target_: {READERS}.text_columns.TextColumnReader, text: 2, label: 1}}\n"
        "splits: {train: {file: train.tsv}, test: {file: test.tsv}}\n"
    )
    monkeypatch.setenv("MTL_BENCH_TASKS", str(tmp_path))
    arguments = ["main=mood", "aux=syn_pos", "steps_per_task=150", "optimizer=adam"]
    code, out, err = command(*arguments, "optimizer.lr=0.01")
    assert code == 0, err
    [folder] = Path("multirun_outputs/default").rglob("seed0")
    final = json.loads((folder / "record.json").read_text())["tasks"]["mood"]["final"]
    assert final["accuracy"] > 0.8
    assert final["macro_f1"] > 0.8
    assert "accuracy" in out
    tagger = mtl_bench.load_tagger(folder)
    sentences = [["the", "film", "was", "fine"], ["the", "film", "was", "dull"]]
    assert tagger.tag(sentences, "mood") == ["good", "bad"]
    tagged = tagger.tag_tasks(sentences, ["mood"], scores=True)["mood"]
    assert all(0.5 < score <= 1 for score in tagged.scores)
