"""The parts of a run, each made from its section of the configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.loggers import Logger
from torch import Tensor

from mtl_bench.config.compose import make_embeddings, make_reader
from mtl_bench.config.schema import OUR_TRAINER_KEYS, RunConfig
from mtl_bench.errors import UserError
from mtl_bench.models.inputs.encoded import Inputs, prepare
from mtl_bench.models.tagger import Tagger
from mtl_bench.runs.record import Metric, TaskRecord
from mtl_bench.runs.schedule import Schedule
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.definition import load_corpus
from mtl_bench.text.vocabulary import normalise
from mtl_bench.training.data import TaskDataModule, label_weights
from mtl_bench.training.loggers import make_loggers
from mtl_bench.training.notes import Evaluation, remarks


def read_corpora(config: RunConfig) -> dict[str, Corpus]:
    """Return the corpora of a run's tasks as the models read them, each with a dev split."""
    data = config.data
    corpora = {}
    for name in config.task_set():
        task = config.tasks[name]
        corpus = normalise(load_corpus(name, task, make_reader(name, task)), data.lowercase)
        corpora[name] = corpus.with_dev(data.dev_fraction, data.split_seed)
    return corpora


def prepare_inputs(config: RunConfig, corpora: Mapping[str, Corpus]) -> Inputs:
    """Return what the run computes with."""
    data = config.data
    return prepare(
        corpora,
        {name: task.max_length for name, task in config.tasks.items()},
        make_embeddings(config.embeddings),
        data.eval_split,
        data.final_split,
        data.truncate_eval,
        config.seed,
    )


def notes_on(config: RunConfig, corpora: Mapping[str, Corpus], inputs: Inputs) -> Iterator[str]:
    """Yield what the run leaves out or does not know, a line each."""
    data = config.data
    batch = data.batch_size if data.drop_last else None
    yield from remarks(
        corpora,
        {name: task.max_length for name, task in config.tasks.items()},
        Evaluation((data.eval_split, data.final_split), data.truncate_eval, batch),
        inputs.vocabulary,
        make_embeddings(config.embeddings),
    )


def make_data(config: RunConfig, inputs: Inputs, schedule: Schedule, start: int) -> TaskDataModule:
    """Return the batches of a run, from step `start` on."""
    with named_errors("sampler", config.sampler):
        make = _factory("sampler", config.sampler)
        sampler = make({n: len(s) for n, s in inputs.train.items()}, config.main)
    return TaskDataModule(
        inputs.train,
        inputs.curve,
        inputs.final,
        sampler,
        schedule,
        start,
        config.data.batch_size,
        config.seed,
        config.data.drop_last,
    )


def make_tagger(config: RunConfig, inputs: Inputs, corpora: Mapping[str, Corpus]) -> Tagger:
    """Return the untrained model of a run."""
    torch.manual_seed(config.seed)
    weights = {
        name: torch.from_numpy(label_weights(split, len(inputs.labels[name])))
        for name, split in inputs.train.items()
        if config.model.label_weights == "balanced"
    }
    with named_errors("optimizer", config.optimizer):
        optimizer = _factory("optimizer", config.optimizer)
        optimizer([torch.nn.Parameter(torch.zeros(1))])  # now, not in the middle of Lightning
    with named_errors("encoder", config.encoder):
        encoder = _factory("encoder", config.encoder)
    with named_errors("model", asdict(config.model)):
        return Tagger(
            inputs.vectors,
            encoder,
            inputs.labels,
            optimizer,
            {name: corpus.outside for name, corpus in corpora.items()},
            {name: corpus.spans for name, corpus in corpora.items()},
            config.model.dropout,
            weights,
            config.seed,
        )


def make_run_loggers(config: RunConfig, folder: Path, fresh: bool) -> list[Logger]:
    """Return the loggers of a run.

    Args:
        config: of the run.
        folder: of the run.
        fresh: whether the run is not resumed, and a new one for W&B.
    """
    with named_errors("logger", config.logger):
        return make_loggers(config.logger, asdict(config), folder, fresh)


def make_trainer(
    config: RunConfig, intervals: int, loggers: list[Logger], callbacks: list[pl.Callback]
) -> pl.Trainer:
    """Return a trainer, one epoch of which is an interval of the schedule."""
    options = {k: v for k, v in asdict(config.trainer).items() if k not in OUR_TRAINER_KEYS}
    with named_errors("trainer", options):
        return pl.Trainer(
            **options,
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


def _factory(group: str, node: Mapping[str, Any]) -> Callable[..., Any]:
    """Return what a group's `_target_` and options make, to be called with the rest later.

    Raises:
        UserError: its yaml lacks `_partial_: true`.
    """
    try:
        factory = instantiate(node)
    except InstantiationException:
        if node.get("_partial_"):
            raise
        factory = None
    if not callable(factory):
        raise UserError(
            f"{group}: add `_partial_: true` to its yaml. {node.get('_target_')} takes more "
            "than the options there, which a run gives it later."
        )
    made: Callable[..., Any] = factory
    return made


@contextmanager
def named_errors(group: str, node: Mapping[str, Any]) -> Iterator[None]:
    """Turn what a constructor says of its arguments into an answer about configuration keys."""
    try:
        yield
    except (
        TypeError,
        ValueError,
        RuntimeError,
        OverflowError,
        InstantiationException,
        MisconfigurationException,
    ) as error:
        given = " ".join(f"{group}.{k}={v}" for k, v in node.items() if k[0] != "_")
        raise UserError(f"{group}: {error}\nGiven: {given}") from error


def describe(
    config: RunConfig, corpora: Mapping[str, Corpus], inputs: Inputs
) -> dict[str, TaskRecord]:
    """Return what is known of the tasks before they are trained."""
    return {
        name: TaskRecord(
            title=config.tasks[name].title,
            type="tagging",
            options={"outside": corpus.outside, "spans": corpus.spans},
            fingerprint=corpus.fingerprint(),
            statistics=inputs.statistics[name],
            sentences={split: len(sentences) for split, sentences in corpus.splits.items()},
            metrics={"f1": Metric("F1")},
            final_split=config.data.final_split,
        )
        for name, corpus in corpora.items()
    }


def weights_sha256(weights: Mapping[str, Tensor]) -> str:
    """Return the sha256 over names and bytes of all weights."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
