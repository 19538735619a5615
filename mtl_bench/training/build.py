"""The parts of a run, made from its configuration. Beside run.py, nothing else here knows one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from lightning_fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger

from mtl_bench.config.compose import make_reader, make_type
from mtl_bench.config.schema import OUR_TRAINER_KEYS
from mtl_bench.errors import UserError
from mtl_bench.models.inputs.prepare import Prepared, ReadingOptions, prepare
from mtl_bench.models.tagger import Dropout, Tagger
from mtl_bench.runs.record import Metric, TaskRecord
from mtl_bench.runs.schedule import Schedule, budget_of
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.definition import Task
from mtl_bench.tasks.load import load_corpus
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.training.data import Batching, TaskDataModule
from mtl_bench.training.loggers import make_loggers
from mtl_bench.training.notes import Evaluation, remarks


def prepare_inputs(
    cfg: DictConfig,
    tasks: Mapping[str, Task],
    corpora: Mapping[str, Corpus],
    embeddings: Embeddings,
) -> Prepared:
    """Return what the run computes with."""
    options = ReadingOptions(
        max_length={name: task.max_length for name, task in tasks.items()},
        eval_split=cfg.data.eval_split,
        final_split=cfg.data.final_split,
        truncate_eval=cfg.data.truncate_eval,
        lowercase=cfg.data.lowercase,
        seed=cfg.seed,
    )
    return prepare(corpora, embeddings, options)


def remarks_on(
    cfg: DictConfig,
    tasks: Mapping[str, Task],
    corpora: Mapping[str, Corpus],
    inputs: Prepared,
    embeddings: Embeddings,
) -> Iterator[str]:
    """Yield what the run leaves out or does not know, a line each."""
    data = cfg.data
    batch = data.batch_size if data.drop_last else None
    yield from remarks(
        corpora,
        {name: task.max_length for name, task in tasks.items()},
        Evaluation((data.eval_split, data.final_split), data.truncate_eval, batch),
        inputs.input,
        embeddings,
    )


def make_data(cfg: DictConfig, inputs: Prepared, start: int) -> TaskDataModule:
    """Return the batches of a run, from step `start` on."""
    with blame(cfg, "sampler"):
        make = _factory(cfg, "sampler")
        sampler = make({n: len(s) for n, s in inputs.train.items()}, cfg.main)
    tasks = len(inputs.train)
    budget = budget_of(cfg.steps_per_task, cfg.trainer.max_steps, tasks)
    schedule = Schedule(tasks, budget, cfg.trainer.val_check_interval)
    batching = Batching(cfg.data.batch_size, cfg.seed, cfg.data.drop_last)
    return TaskDataModule(inputs, sampler, schedule.intervals(start), batching)


def read_corpus(cfg: DictConfig, name: str, task: Task) -> Corpus:
    """Return the corpus of a task, with a dev split."""
    corpus = load_corpus(name, task, make_reader(name, task), make_type(name, task))
    return corpus.with_dev(cfg.data.dev_fraction, cfg.data.split_seed)


def make_tagger(cfg: DictConfig, inputs: Prepared) -> Tagger:
    """Return the untrained model of a run."""
    torch.manual_seed(cfg.seed)
    if cfg.model.label_weights not in ("none", "balanced"):
        raise UserError(
            f"model.label_weights is '{cfg.model.label_weights}'; it is 'none' or 'balanced'."
        )
    with blame(cfg, "optimizer"):
        optimizer = _factory(cfg, "optimizer")
        optimizer([torch.nn.Parameter(torch.zeros(1))])  # now, not in the middle of Lightning
    with blame(cfg, "encoder"):
        encoder = _factory(cfg, "encoder")
    with blame(cfg, "model"):
        dropout = Dropout(cfg.model.dropout, cfg.seed)
        tagger = Tagger(inputs.input, encoder, inputs.tasks, optimizer, dropout)
        for name, split in inputs.train.items() if cfg.model.label_weights == "balanced" else ():
            tagger.head(name).balance(split.targets)
    return tagger


def loggers_of(cfg: DictConfig, folder: Path) -> list[Logger]:
    """Return the loggers of a run."""
    with blame(cfg, "logger"):
        return make_loggers(plain(cfg.logger), plain(cfg), folder, fresh=cfg.overwrite)


def make_trainer(
    cfg: DictConfig, intervals: int, loggers: list[Logger], callbacks: list[pl.Callback]
) -> pl.Trainer:
    """Return a trainer, one epoch of which is an interval of the schedule."""
    with blame(cfg, "trainer"):
        return pl.Trainer(
            **{key: value for key, value in cfg.trainer.items() if key not in OUR_TRAINER_KEYS},
            max_epochs=intervals,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            logger=loggers,
            log_every_n_steps=1,
            callbacks=callbacks,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
        )


def _factory(cfg: DictConfig, group: str) -> Callable[..., Any]:
    """Return what a group's `_target_` and options make, to be called with the rest later.

    Raises:
        UserError: its yaml lacks `_partial_: true`.
    """
    try:
        made = instantiate(cfg[group])
    except InstantiationException:
        if cfg[group].get("_partial_"):
            raise
        made = None
    if not callable(made):
        raise UserError(
            f"{group}: add `_partial_: true` to its yaml. {cfg[group].get('_target_')} takes more "
            "than the options there, which a run gives it later."
        )
    factory: Callable[..., Any] = made
    return factory


@contextmanager
def blame(cfg: DictConfig, group: str) -> Iterator[None]:
    """Turn what a constructor says of its arguments into an answer about configuration keys."""
    try:
        yield
    except (
        *(TypeError, ValueError, RuntimeError, OverflowError),
        *(InstantiationException, MisconfigurationException),
    ) as error:
        given = " ".join(f"{group}.{k}={v}" for k, v in cfg[group].items() if k[0] != "_")
        raise UserError(f"{group}: {error}\nGiven: {given}") from error


def describe(cfg: DictConfig, task: Task, corpus: Corpus, inputs: Prepared) -> TaskRecord:
    """Return what is known of a task before it is trained."""
    return TaskRecord(
        title=task.title,
        type=corpus.type.name,
        options=corpus.type.options(),
        fingerprint=corpus.fingerprint(),
        statistics=inputs.statistics[corpus.task],
        sentences={split: len(sentences) for split, sentences in corpus.splits.items()},
        metrics={
            name: Metric(metric.title, metric.higher_is_better)
            for name, metric in corpus.type.metrics.items()
        },
        final_split=cfg.data.final_split,
    )


def plain(cfg: DictConfig) -> dict[str, Any]:
    """Return a configuration as plain values."""
    content = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
