"""What every yaml under conf/ promises, whatever is added there."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from mtl_bench.config.compose import compose_run
from mtl_bench.config.run_key import uses_main
from mtl_bench.config.tasks import conf_folder, make_type, plain_task, read_task, task_files
from mtl_bench.models.heads.base import Head
from mtl_bench.tasks.definition import Split, Task
from mtl_bench.tasks.examples import SPLITS
from mtl_bench.tasks.fetch import expected
from mtl_bench.tasks.load import load_corpus
from mtl_bench.text.vocabulary import Vocabulary
from mtl_bench.training.samplers.draws import Draws
from tests.unit.models._inputs import batch

SIZES = {"a": 100, "b": 400}


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
    assert generated == name.startswith("syn_")
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
    assert uses_main(node) == (draws["a"] != draws["b"])


class Undeclared:
    """A sampler of one's own that says nothing of main."""

    def __init__(self, sizes, main):
        self.main = main

    def __call__(self, step, draw):
        return self.main


def test_a_sampler_that_declares_nothing_is_taken_to_use_main(configure):
    name = f"{__name__}.Undeclared"
    assert uses_main({"_target_": name, "_partial_": True})
    folders = []
    for pair in (["main=syn_chu", "aux=syn_pos"], ["main=syn_pos", "aux=syn_chu"]):
        _, folder = compose_run([*pair, f"++sampler._target_={name}", "sampler.exponent=0"])
        folders.append(folder)
    assert folders[0] != folders[1]


@pytest.mark.parametrize("name", choices("encoder"))
def test_an_encoder_gives_one_state_a_word_and_a_gradient(name, configure):
    torch.manual_seed(0)
    encoder = instantiate(configure(f"encoder={name}", "model.hidden_size=5").encoder)(4)
    one = batch([3, 6, 1])
    table = torch.randn(50, 4, requires_grad=True)
    states = encoder(table[one.rows], one)
    assert states.shape == (len(one), encoder.size)
    states.sum().backward()
    assert table.grad[one.rows].abs().sum(1).min() > 0
    # A sentence's states do not depend on what else is in the batch.
    alone = batch([3])
    torch.testing.assert_close(encoder(table[alone.rows], alone), states[one.order[:3]])


@pytest.mark.parametrize("name", choices("optimizer"))
def test_an_optimizer_takes_parameters_and_lowers_a_loss(name, configure):
    parameter = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = instantiate(configure(f"optimizer={name}").optimizer)([parameter])
    for _ in range(20):
        optimizer.zero_grad()
        (parameter**2).sum().backward()
        optimizer.step()
    assert parameter.item() < 3


@pytest.mark.parametrize("name", choices("embeddings"))
def test_embeddings_fill_a_table(name, configure, request):
    cfg = configure(f"embeddings={name}").embeddings
    if cfg.get("mirror_only"):
        request.getfixturevalue("mirror")
    elif cfg.get("file", "none") is None:
        cfg.file, cfg.dim = "vectors.txt", 2
        Path("vectors.txt").write_text("the 1 2\ncat 3 4\n")
    elif cfg.get("url"):
        pytest.skip("needs a download of 862 MB")
    embeddings = instantiate(cfg)
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
