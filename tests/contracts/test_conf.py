"""What every yaml under conf/ promises, whatever is added there."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from mtl_bench.config.compose import compose_run
from mtl_bench.config.run_key import sampler_uses_main
from mtl_bench.config.tasks import conf_folder, make_type, plain_task, read_task, task_files
from mtl_bench.models.heads.base import Head
from mtl_bench.models.tagger import called
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.definition import Split, Task
from mtl_bench.tasks.examples import SPLITS, Example
from mtl_bench.tasks.fetch import expected
from mtl_bench.tasks.load import load_corpus
from mtl_bench.text.embeddings import WORD_INPUT
from mtl_bench.text.vocabulary import Vocabulary
from mtl_bench.training.samplers.draws import Draws
from mtl_bench.trust import trusted
from tests.unit.models._inputs import tagging

SIZES = {"a": 100, "b": 400}
SENTENCES = [("the", "cat", "sleeps"), ("words", "happened", "naturally", "."), ("fox",)]
EXAMPLES = tuple(Example(words, ("x",) * len(words)) for words in SENTENCES)
CORPUS = Corpus("t", dict.fromkeys(SPLITS, EXAMPLES), tagging().type)


def choices(group):
    return sorted(file.stem for file in (conf_folder() / group).glob("*.yaml"))


@pytest.mark.parametrize("name", task_files())
def test_a_task_says_what_it_is_and_where_it_is_from(name):
    task = plain_task(task_files()[name])
    assert task.title
    assert task.licence
    assert set(task.splits) <= set(SPLITS)
    assert callable(instantiate(task.reader))
    generated = not task.sources and not task.obtain
    assert generated == name.startswith(("syn_", "demo_"))
    assert generated or (task.citation and task.homepage)
    assert bool(task.obtain) == bool(task.root)
    places = set()
    for source in task.sources:
        assert source.url.startswith("https://")
        for file in expected(source, Path(task.folder)):
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            places |= {file.path, *map(str, Path(file.path).parents)}
    for where in task.splits.values():
        assert Split(**vars(where)).bounds()
        assert where.file is None or task.obtain or where.file in places


def test_what_the_package_itself_names_is_trusted(monkeypatch):
    monkeypatch.delenv("MTL_BENCH_TRUST")
    for file in sorted(conf_folder().rglob("*.yaml")):
        for target in re.findall(r"_target_: *([\w.]+)", file.read_text("utf-8")):
            if target.startswith(("mtl_bench.", "sklearn.", "torch.optim.")):
                trusted(target, file.name)


def test_the_template_of_a_task_is_one():
    assert read_task(conf_folder().parent / "docs" / "task.yaml").splits.train.file == "train.tsv"


@pytest.mark.parametrize("name", task_files())
def test_a_task_can_be_read(name, request):
    task = plain_task(task_files()[name])
    if task.obtain:
        pytest.skip(f"needs a corpus that is not redistributable: {name}")
    if task.sources:
        request.getfixturevalue("mirror")
    corpus = load_corpus(name, task, instantiate(task.reader), make_type(name, task))
    corpus.refuse_unusable("test")
    assert corpus.type.metrics
    assert len(corpus.type.fit(corpus.splits).encode([corpus["train"][0].target]))
    for examples in corpus.splits.values():
        for words, _ in examples:
            assert len(words) > 0
            assert all(words)


@pytest.mark.parametrize("name", choices("type"))
def test_a_type_has_metrics_and_a_head(name):
    type_ = make_type("t", Task("title", {}, {}, type=name))
    assert all(metric.title for metric in type_.metrics.values())
    assert type_.level in ("word", "sentence")
    assert issubclass(get_class(type_.head), Head)
    assert type(type_)(**type_.describe()) == type_


@pytest.mark.parametrize("name", choices("sampler"))
def test_a_sampler_names_tasks_of_the_run_reproducibly(name, configure):
    sampler = instantiate(configure(f"sampler={name}").sampler)
    assert {sampler({"a": 9}, "a")(s, Draws(0).at(s)) for s in range(5)} == {"a"}
    one = [sampler(SIZES, "a")(step, Draws(1).at(step)) for step in range(300)]
    assert set(one) == {"a", "b"}
    assert one == [sampler(SIZES, "a")(step, Draws(1).at(step)) for step in range(300)]


@pytest.mark.parametrize("name", choices("sampler"))
def test_a_sampler_that_declares_not_to_use_main_draws_alike_for_any(name, configure):
    node = configure(f"sampler={name}").sampler
    draws = {
        main: [instantiate(node)(SIZES, main)(step, Draws(1).at(step)) for step in range(300)]
        for main in SIZES
    }
    assert sampler_uses_main(node) == (draws["a"] != draws["b"])


class Undeclared:
    """A sampler of one's own that says nothing of main."""

    def __init__(self, sizes, main):
        self.main = main

    def __call__(self, step, draw):
        return self.main


def test_a_sampler_that_declares_nothing_is_taken_to_use_main(configure):
    name = f"{__name__}.Undeclared"
    assert sampler_uses_main({"_target_": name, "_partial_": True})
    folders = []
    for pair in (["main=syn_chu", "aux=syn_pos"], ["main=syn_pos", "aux=syn_chu"]):
        _, folder = compose_run([*pair, f"++sampler._target_={name}", "sampler.exponent=0"])
        folders.append(folder)
    assert folders[0] != folders[1]


@pytest.fixture
def make_input(configure, pretrained_folder, request):
    """Make the input of some choices; return it with its embeddings and their configuration."""

    def make(*overrides):
        cfg = configure(*overrides, "model.hidden_size=5")
        node = cfg.embeddings
        if node.get("mirror_only"):
            request.getfixturevalue("mirror")
        elif node.get("file", "none") is None:
            node.file, node.dim = "vectors.txt", 2
            Path("vectors.txt").write_text("the 1 2\ncat 3 4\n")
        elif node.get("url"):
            pytest.skip("needs a download of 862 MB")
        elif node.get("model"):
            node.model = pretrained_folder(num_hidden_layers=4)
        embeddings = instantiate(node)
        corpora = {"t": CORPUS}
        input_ = get_class(embeddings.input).build(embeddings, corpora, lowercase=True, seed=0)
        return input_, embeddings, cfg

    return make


def whole_batch(input_, sentences):
    """Sentences as one batch, and the vectors of its words."""
    batch = input_.collate("t", input_.encode(sentences), np.arange(len(sentences)))
    return batch, input_(batch, sparse=False)


@pytest.mark.parametrize("name", choices("encoder"))
def test_an_encoder_gives_one_state_a_word_and_a_gradient(name, make_input):
    torch.manual_seed(0)
    input_, embeddings, cfg = make_input(f"encoder={name}")
    encoder = instantiate(cfg.encoder)(input_.size)
    assert encoder.reads == embeddings.gives
    batch, vectors = whole_batch(input_, SENTENCES)
    states = encoder(vectors, batch)
    assert states.shape == (len(batch), encoder.size)
    states.square().sum().backward()
    assert all(p.grad is not None for p in encoder.parameters() if p.requires_grad)
    # A sentence's states do not depend on what else is in the batch.
    encoder.eval()
    states = encoder(vectors, batch)[batch.order[: len(SENTENCES[0]) + 2]]
    alone, vectors = whole_batch(input_, SENTENCES[:1])
    torch.testing.assert_close(encoder(vectors, alone)[alone.order], states, rtol=1e-4, atol=1e-5)
    again = type(encoder).restore(input_.size, encoder.describe())
    again.load_state_dict(encoder.state_dict())
    assert torch.equal(again.eval()(vectors, alone), encoder(vectors, alone))


@pytest.mark.parametrize("name", choices("optimizer"))
def test_an_optimizer_takes_parameters_and_lowers_a_loss(name, configure):
    parameter = torch.nn.Parameter(torch.tensor([3.0]))
    make = instantiate(configure(f"optimizer={name}").optimizer)
    takes_names = getattr(called(make), "takes_names", False)
    optimizer = make([("name", parameter)] if takes_names else [parameter])
    for _ in range(20):
        optimizer.zero_grad()
        (parameter**2).sum().backward()
        optimizer.step()
    assert parameter.item() < 3


@pytest.mark.parametrize("name", choices("embeddings"))
def test_embeddings_make_an_input_of_sentences(name, make_input):
    input_, embeddings, _ = make_input(f"embeddings={name}")
    assert embeddings.is_here()
    assert embeddings.checksum() is None or re.fullmatch("[0-9a-f]{64}", embeddings.checksum())
    assert embeddings.gives in ("vectors", "sub-words")
    assert all(isinstance(value, int | str) for value in input_.facts.values())
    batch, vectors = whole_batch(input_, SENTENCES)
    assert batch.lengths.tolist() == [len(words) + 2 for words in SENTENCES]
    if embeddings.gives == "vectors":
        assert vectors.shape == (len(batch.rows), input_.size)
        assert torch.isfinite(vectors).all()
    for line in input_.remarks({"t": CORPUS}, embeddings):
        assert line
    assert input_.statistics(CORPUS, embeddings, None)
    again = type(input_).restore(json.loads(json.dumps(input_.describe())))
    again.load_state_dict(input_.state_dict())
    assert torch.equal(whole_batch(again, SENTENCES)[1], vectors)


@pytest.mark.parametrize("name", choices("embeddings"))
def test_word_vectors_fill_a_table(name, make_input):
    _, embeddings, _ = make_input(f"embeddings={name}")
    if embeddings.input != WORD_INPUT:
        pytest.skip("has no vector of a word by itself")
    table, facts = embeddings.table(Vocabulary(["the", "cat"]), seed=0)
    assert table.shape == (5, embeddings.dim)
    assert table.dtype == np.float32
    assert facts["rows"] == 5
    assert np.isfinite(table).all()


@pytest.mark.parametrize("group", ["data", "logger", "trainer", "experiment", "debug", "paths"])
def test_every_choice_composes(group, configure):
    for name in choices(group):
        override = f"{group}={name}" if group != "experiment" else f"+{group}={name}"
        cfg = configure(override.replace("+experiment", "experiment"))
        assert OmegaConf.to_container(cfg, resolve=False)
