"""A task type of one's own, defined here: one number a sentence, of which a lower error is better.

Read by a reader of its own, checked, encoded, trained beside a tagging task, scored, and saved.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from torch import nn

from mtl_bench.config.tasks import make_reader, make_type, plain_task
from mtl_bench.errors import UserError
from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.heads.base import Evaluated, Head
from mtl_bench.models.inputs.batches import Chunk
from mtl_bench.models.inputs.prepare import ReadingOptions, prepare
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.trained import TrainedTagger
from mtl_bench.models.weights import Kept, load_taggers, save_tagger
from mtl_bench.runs.schedule import Schedule
from mtl_bench.tasks.checks.examine import examine
from mtl_bench.tasks.checks.findings import Finding
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.load import load_corpus
from mtl_bench.tasks.types.base import Metric, TaskType
from mtl_bench.text.embeddings import RandomVectors
from mtl_bench.training.data import Batching, TaskDataModule

MODULE = "tests.unit.tasks.test_own_type"


class NumberReader:
    """Reads a number, a tab and the words of a sentence, a line each."""

    def __call__(self, file, part):
        for place, line in enumerate(file.read_text().splitlines(), start=1):
            number, _, words = line.partition("\t")
            if words:
                yield Example(tuple(words.split()), float(number))
            else:
                yield Note("lines without words left out", f"line {place}")


@dataclass(frozen=True)
class Scale:
    """What is learned from a corpus: the scale of its numbers."""

    mean: float
    deviation: float

    def encode(self, targets):
        return (np.array(targets) - self.mean) / self.deviation

    def state(self):
        return {"mean": self.mean, "deviation": self.deviation}


class AbsoluteError:
    """Mean absolute error, in the numbers of the files."""

    def __init__(self, deviation):
        self.deviation, self.errors, self.count = deviation, 0.0, 0

    def update(self, predictions, gold, lengths):
        assert len(predictions) == len(gold) == len(lengths)
        self.errors += self.deviation * float(np.abs(predictions - gold).sum())
        self.count += len(gold)

    def compute(self):
        return {"mae": self.errors / max(self.count, 1)}


@dataclass(frozen=True)
class Number(TaskType[Scale]):
    """One number a sentence.

    Attributes:
        largest: allowed; None for no limit.
    """

    name = "number"
    level = "sentence"
    largest: float | None = None

    @property
    def metrics(self):
        return {"mae": Metric("mean absolute error", higher_is_better=False, is_share=False)}

    def validate(self, example):
        if not isinstance(example.target, int | float):
            raise ValueError(f"its target is {example.target!r}, not a number")
        if self.largest is not None and example.target > self.largest:
            raise ValueError(f"its target is {example.target}, above {self.largest}")

    def fit(self, splits):
        numbers = [example.target for example in splits["train"]]
        return Scale(float(np.mean(numbers)), float(np.std(numbers)) or 1.0)

    def restore(self, state):
        return Scale(**state)

    def scorer(self, targets):
        return AbsoluteError(targets.deviation)

    def check(self, splits):
        yield Finding("ok", f"Largest number: {max(e.target for e in splits['train']):g}.")


class NumberHead(Head):
    """The mean of a sentence's states, a linear layer, squared error."""

    def __init__(self, size, fitted):
        super().__init__(size, fitted)
        self.scale = fitted.targets
        self.output = nn.Linear(size, 1)

    def forward(self, states, batch):
        sentences = torch.repeat_interleave(torch.arange(len(batch.lengths)), batch.lengths)
        sums = states.new_zeros(len(batch.lengths), states.shape[1])
        sums = sums.index_add(0, sentences, states[batch.order])
        return self.output(sums / batch.lengths[:, None]).squeeze(1)

    def loss(self, outputs, batch):
        return (outputs - batch.targets.to(outputs.dtype)).square().mean()

    def evaluate(self, outputs, batch):
        losses = (outputs - batch.targets).square()
        lengths = batch.lengths - 2
        return Evaluated(losses, torch.ones_like(losses), outputs, batch.targets, lengths)

    def decode(self, outputs, batch):
        return (outputs * self.scale.deviation + self.scale.mean).tolist()


YAML = f"""
title: How many cats
type: {{_target_: {MODULE}.Number, head: {MODULE}.NumberHead, largest: 9}}
reader: {{_target_: {MODULE}.NumberReader}}
splits: {{train: {{file: train.txt}}, dev: {{file: dev.txt}}, test: {{file: test.txt}}}}
"""


def write_files(folder, largest=5):
    draw = np.random.default_rng(0)
    for split, count in (("train", 60), ("dev", 20), ("test", 20)):
        lines = []
        for _ in range(count):
            words = draw.choice(["cat", "dog", "owl"], size=largest).tolist()
            lines.append(f"{words.count('cat')}\t{' '.join(words)}")
        (folder / f"{split}.txt").write_text("\n".join([*lines, "7"]))


@pytest.fixture
def corpus(tmp_path):
    write_files(tmp_path)
    (tmp_path / "cats.yaml").write_text(YAML)
    task = plain_task(tmp_path / "cats.yaml")
    return load_corpus("cats", task, make_reader("cats", task), make_type("cats", task))


@pytest.fixture
def tagging_corpus(tmp_path):
    lines = "".join(f"cat\tC\n{word}\tO\n\n" for word in ("dog", "owl") * 20)
    for split in ("a", "b"):
        (tmp_path / split).write_text(lines)
    reader = "{_target_: mtl_bench.tasks.readers.columns.ColumnReader, word: 1, label: 2}"
    (tmp_path / "tags.yaml").write_text(
        f"title: t\nreader: {reader}\nsplits: {{train: {{file: a}}, test: {{file: b}}}}\noutside: O\n"
    )
    task = plain_task(tmp_path / "tags.yaml")
    corpus = load_corpus("tags", task, make_reader("tags", task), make_type("tags", task))
    return corpus.with_dev(0.1, 0)


def test_it_is_read_and_checked(corpus):
    assert corpus.type == Number(9, head=f"{MODULE}.NumberHead")
    assert corpus.type.options() == {"largest": 9}
    assert corpus["train"][0].target == corpus["train"][0].words.count("cat")
    assert next(str(remark) for remark in corpus.remarks) == (
        "train.txt: lines without words left out: 1, first in line 61"
    )
    findings = [finding.text for finding in examine(corpus)]
    assert "Largest number: 4." in findings
    assert not [text for text in findings if "label" in text]
    assert corpus.with_dev(0.2, 0) is corpus
    changed = [Example(corpus["test"][0].words, 8.0), *corpus["test"][1:]]
    other = type(corpus)("cats", {**corpus.splits, "test": tuple(changed)}, corpus.type)
    assert other.fingerprint() != corpus.fingerprint()


def test_a_target_of_another_kind_is_refused_with_its_place(tmp_path):
    write_files(tmp_path, largest=30)
    (tmp_path / "cats.yaml").write_text(YAML)
    task = plain_task(tmp_path / "cats.yaml")
    with pytest.raises(UserError, match=r"task 'cats', train, sentence \d+: .* above 9\."):
        load_corpus("cats", task, make_reader("cats", task), make_type("cats", task))


def build(corpora):
    """Return what a run of these corpora computes with."""
    embeddings = RandomVectors(dim=8, min_count=1, std=0.1)
    prepared = prepare(corpora, embeddings, ReadingOptions(dict.fromkeys(corpora)))

    def encoder(size):
        return BiLSTM(size, hidden_size=8, forget_bias=1.0)

    torch.manual_seed(0)
    adam = instantiate({"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.02})
    tagger = Tagger(prepared.input, encoder, prepared.tasks, adam)

    def in_turn(step, random):
        return sorted(corpora)[step % len(corpora)]

    return (
        prepared,
        tagger,
        TaskDataModule(prepared, in_turn, Schedule(len(corpora), 300 / len(corpora)), Batching(16)),
    )


def evaluate(tagger, data):
    tagger.eval()
    with torch.no_grad():
        for batch in data.test_dataloader():
            tagger.validation_step(batch)
    tagger.on_validation_epoch_end()
    return tagger.evaluated


def test_it_trains_beside_a_tagging_task_and_is_scored(corpus, tagging_corpus, tmp_path):
    prepared, tagger, data = build({"cats": corpus, "tags": tagging_corpus})
    assert prepared.train["cats"].targets.shape == (60,)
    statistics = prepared.statistics["cats"]
    assert (statistics["size"], statistics["labels"], statistics["label_entropy"]) == (
        60,
        None,
        None,
    )
    before = evaluate(tagger, data)
    assert before["cats"].keys() == {"loss", "mae"}
    optimizer = tagger.configure_optimizers()
    tagger.optimizers = lambda **_: optimizer  # what Lightning's trainer gives it
    tagger.train()
    for chunk in data.chunks(range(300)):
        assert isinstance(chunk, Chunk)
        assert tagger.training_step(chunk, 0)["losses"].isfinite().all()
    after = evaluate(tagger, data)
    assert after["cats"]["mae"] < 0.5 * before["cats"]["mae"]
    assert after["tags"]["f1"] == 1
    kept = dict.fromkeys(tagger.tasks, Kept(300, tagger.trained_weights()))
    save_tagger(tmp_path / "tagger", tagger, kept, main="tags")
    with pytest.raises(UserError, match=rf"names {MODULE}\.Number, which is no TaskType of this"):
        load_taggers(tmp_path / "tagger")
    loaded = TrainedTagger.load(tmp_path / "tagger", [Number, NumberHead])
    many, nothing, none = loaded.tag([["cat"] * 4 + ["dog"], [], ["owl"] * 5], "cats")
    assert many > none + 2
    assert nothing is None
    assert loaded.tag([["Cat", "dog"]]) == [["C", "O"]]
    assert loaded.evaluate(corpus["test"], "cats") == pytest.approx(after["cats"], rel=1e-5)
    with pytest.raises(UserError, match="NumberHead has no probabilities"):
        loaded.tag_tasks([["cat"]], ["cats"], scores=True)


def test_weights_for_labels_are_refused_where_there_are_none(corpus):
    _, tagger, _ = build({"cats": corpus})
    with pytest.raises(UserError, match=r"Type `model\.label_weights=none`"):
        tagger.head("cats").balance(np.zeros(3))
    with pytest.raises(UserError, match=r"Type `model\.loss_over=words`"):
        tagger.head("cats").pad(9)
    with pytest.raises(UserError, match=r"Type `model\.bias_start=zeros`"):
        tagger.head("cats").draw_bias()


def test_numbers_go_through_the_cache(corpus, monkeypatch, tmp_path):
    from mtl_bench.tasks.cache import READERS, CorpusCache

    cache = CorpusCache("cats", {"_target_": f"{READERS}mine.Reader"}, {}, {"train": "0"})
    cache.save(dict(corpus.splits), corpus.remarks)
    assert cache.load() == (corpus.splits, corpus.remarks)
    targets = json.dumps(corpus["train"][0].target)
    assert targets.encode() in cache.file.read_bytes()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "type: chunking",
            "there is no type 'chunking'. Possible: classification, language_model, seq2seq, tagging; or a type of your own",
        ),
        (f"type: {{_target_: {MODULE}.Number}}", "its type cannot be made: it is no TaskType, or"),
        (f"type: {{_target_: {MODULE}.Nobody, head: x}}", "its type cannot be made: "),
        ("type: {head: x}", "its type cannot be made: '_target_'"),
        ("type: {_target_: builtins.dict, head: x}", "its type is 'builtins.dict'"),
        ("type: 3", "its type is 3"),
        ("outside: O", "its type Number has no option outside. Possible: largest."),
        ("spans: bio", "its type Number has no option spans"),
    ],
)
def test_a_wrong_type_is_answered(tmp_path, line, expected):
    key = line.partition(":")[0]
    others = [x for x in YAML.strip().splitlines() if not x.startswith(f"{key}:")]
    (tmp_path / "cats.yaml").write_text("\n".join([*others, line]))
    task = plain_task(tmp_path / "cats.yaml")
    with pytest.raises(UserError) as error:
        make_type("cats", task)
    assert str(error.value).startswith("task 'cats': ")
    assert expected in str(error.value)


def test_reading_a_task_imports_no_torch():
    import subprocess
    import sys

    code = (
        "import sys; from mtl_bench.config.tasks import make_type, plain_task, task_files;"
        "task = plain_task(task_files()['chu']); print(make_type('chu', task).head);"
        "assert not {'torch', 'pytorch_lightning'} & sys.modules.keys()"
    )
    end = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert end.stdout == "mtl_bench.models.heads.tagging.TaggingHead\n"
