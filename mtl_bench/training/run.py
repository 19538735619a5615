"""One run: from its configuration to its record. The whole flow, top to bottom."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger, WandbLogger

from mtl_bench import compose
from mtl_bench.errors import UserError
from mtl_bench.runs.lock import lock
from mtl_bench.runs.record import Record, TaskRecord, read_record
from mtl_bench.tasks.corpus import SPLITS, Corpus
from mtl_bench.tasks.fetch import sha256
from mtl_bench.tasks.task import Task, load_corpus, root_of
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.text.vocabulary import normalise
from mtl_bench.training.curves import Curves
from mtl_bench.training.datamodule import Schedule, TaskDataModule, label_weights
from mtl_bench.training.inputs import Inputs, prepare
from mtl_bench.training.progress import Progress, summary
from mtl_bench.training.recording import new_record, recorded, refuse_other, weights_sha256
from mtl_bench.training.resume import Checkpoints
from mtl_bench.training.tagger import Tagger, save_tagger

CHECKPOINT, WEIGHTS = "checkpoint.pt", "weights.pt"

# The keys of `trainer.*` that are not Lightning's own.
SCHEDULE_KEYS = ("max_steps", "val_check_interval", "threads")


def run(cfg: DictConfig, folder: Path) -> Record:
    """Train what a configuration describes, unless its folder holds the finished record.

    Args:
        cfg: the run's configuration.
        folder: of the run; created.

    Returns:
        The record, which also stands in the folder: finished or interrupted.

    Raises:
        UserError: a mistake of the user's, or the folder holds another run or is in use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        there = None if cfg.overwrite else read_record(folder)
        curves = Curves(cfg.data.curve_split)
        record = new_record(_plain(cfg), cfg.seed, cfg.trainer.threads)
        with (
            recorded(record, curves, folder, failures_only=True) if there is None else nullcontext()
        ):
            tasks = {name: _task(cfg, name) for name in sorted(cfg.tasks)}
            embeddings = instantiate(cfg.embeddings)
            record.identity = compose.identity(cfg, _checksums(tasks, embeddings))
            record.config_hash = compose.config_hash(record.identity)
        if there is not None and there.status != "failed":
            refuse_other(there, record, folder)
            if there.status == "finished":
                print(f"finished before: {folder}")
                return there
        if cfg.overwrite:
            (folder / CHECKPOINT).unlink(missing_ok=True)
        with recorded(record, curves, folder):
            _train(cfg, folder, tasks, embeddings, record, curves)
            record.status = "finished"
        (folder / CHECKPOINT).unlink(missing_ok=True)
        summary(record, folder)
        return record


def _train(
    cfg: DictConfig,
    folder: Path,
    tasks: Mapping[str, Task],
    embeddings: Embeddings,
    record: Record,
    curves: Curves,
) -> None:
    """Train and evaluate; fill in the record as facts come in."""
    torch.set_num_threads(cfg.trainer.threads)
    quiet()
    corpora = {name: read_corpus(cfg, name, task) for name, task in tasks.items()}
    inputs = prepare_inputs(cfg, tasks, corpora, embeddings)
    record.vectors = inputs.vector_facts
    record.tasks = {name: _describe(cfg, tasks[name], corpora[name], inputs) for name in tasks}

    checkpoints = Checkpoints(
        folder / CHECKPOINT, record.config_hash, curves, cfg.callbacks.checkpoint_seconds
    )
    data = make_data(cfg, inputs, start=checkpoints.steps_done)
    record.steps_planned = data.schedule.steps
    tagger = make_tagger(cfg, inputs, corpora)
    with _blame(cfg, "logger"):
        loggers = [instantiate(logger) for logger in cfg.logger.values()]
    for logger in loggers:
        logger.log_hyperparams(record.config)
    with _blame(cfg, "trainer"):
        trainer = pl.Trainer(
            **{key: value for key, value in cfg.trainer.items() if key not in SCHEDULE_KEYS},
            max_epochs=len(data.schedule.intervals()),
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            logger=loggers,
            log_every_n_steps=1,
            callbacks=[
                curves,
                checkpoints,
                Progress(curves, data.schedule.steps, cfg.callbacks.progress),
            ],
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
        )
    try:
        if data.schedule.intervals():
            trainer.fit(tagger, datamodule=data)
        record.timings["train_seconds"] = checkpoints.seconds
        trainer.test(tagger, datamodule=data, verbose=False)
        for name, values in tagger.evaluated.items():
            record.tasks[name].final = values
            for logger in loggers:
                final = {f"final/{metric}/{name}": value for metric, value in values.items()}
                logger.log_metrics(final, step=data.schedule.steps)
    finally:
        for logger in loggers:
            _close(logger)
    record.weights_sha256 = weights_sha256(tagger.state_dict())
    if cfg.save_weights:
        save_tagger(folder / WEIGHTS, tagger, inputs.vocabulary, _plain(cfg.encoder))


def _close(logger: Logger) -> None:
    """End a logger's run, so that the next one of this process is a run of its own."""
    logger.finalize("success" if sys.exc_info()[0] is None else "failed")
    if isinstance(logger, WandbLogger):
        logger.experiment.finish(exit_code=0 if sys.exc_info()[0] is None else 1)


def quiet() -> None:
    """Keep Lightning's remarks on hardware, and on loaders of a kind not ours, to itself."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for pattern in ("GPU available", ".*LeafSpec.*", ".*does not have many workers.*"):
        warnings.filterwarnings("ignore", pattern, module="pytorch_lightning|lightning_fabric")


def prepare_inputs(
    cfg: DictConfig,
    tasks: Mapping[str, Task],
    corpora: Mapping[str, Corpus],
    embeddings: Embeddings,
) -> Inputs:
    """Return what the run computes with."""
    for key in ("curve_split", "final_split"):
        if cfg.data[key] not in SPLITS:
            raise UserError(f"data.{key}: '{cfg.data[key]}' is none of {', '.join(SPLITS)}.")
    return prepare(
        corpora,
        {name: task.max_length for name, task in tasks.items()},
        embeddings,
        cfg.data.curve_split,
        cfg.data.final_split,
        cfg.data.cut_evaluation,
        cfg.seed,
    )


def make_data(cfg: DictConfig, inputs: Inputs, start: int) -> TaskDataModule:
    """Return the batches of a run, from step `start` on."""
    with _blame(cfg, "sampler"):
        sampler = instantiate(cfg.sampler)({n: len(s) for n, s in inputs.train.items()}, cfg.main)
    return TaskDataModule(
        inputs.train,
        inputs.curve,
        inputs.final,
        sampler,
        _schedule(cfg, len(inputs.train), start),
        cfg.data.batch_size,
        cfg.seed,
        cfg.data.whole_batches,
    )


def _schedule(cfg: DictConfig, tasks: int, start: int) -> Schedule:
    """Return `steps_per_task` for each task, capped by `trainer.max_steps`."""
    steps = cfg.steps_per_task * tasks
    if cfg.trainer.max_steps is not None:
        steps = min(steps, cfg.trainer.max_steps)
    interval = cfg.trainer.val_check_interval
    if steps < 1 or (interval is not None and interval < 1):
        raise UserError(
            f"steps_per_task is {cfg.steps_per_task}, trainer.max_steps {cfg.trainer.max_steps}, "
            f"trainer.val_check_interval {interval}: each must be at least 1."
        )
    if interval is None:
        interval = min(500, max(1, steps // 20))  # a curve wants twenty points
    return Schedule(steps, min(interval, steps), start)


def _task(cfg: DictConfig, name: str) -> Task:
    task = OmegaConf.to_object(cfg.tasks[name])
    assert isinstance(task, Task)
    return task


def _checksums(tasks: Mapping[str, Task], embeddings: Embeddings) -> dict[str, Any]:
    """Return the sha256 of every file that the run reads."""
    sums: dict[str, Any] = {"embeddings": embeddings.checksum()}
    for name, task in tasks.items():
        root = root_of(task)
        sums[name] = {
            split: sha256(root / where.file)
            for split, where in task.splits.items()
            if where.file is not None
        }
    return sums


def read_corpus(cfg: DictConfig, name: str, task: Task) -> Corpus:
    """Return the corpus of a task as the models read it, with a dev split."""
    corpus = load_corpus(name, task, instantiate(task.reader))
    return normalise(corpus, cfg.data.lowercase).with_dev(cfg.data.dev_share, cfg.data.split_seed)


def make_tagger(cfg: DictConfig, inputs: Inputs, corpora: Mapping[str, Corpus]) -> Tagger:
    """Return the untrained model of a run."""
    torch.manual_seed(cfg.seed)
    if cfg.model.label_weights not in ("none", "balanced"):
        raise UserError(
            f"model.label_weights is '{cfg.model.label_weights}'; it is 'none' or 'balanced'."
        )
    weights = {
        name: torch.from_numpy(label_weights(split, len(inputs.labels[name])))
        for name, split in inputs.train.items()
        if cfg.model.label_weights == "balanced"
    }
    optimizer = instantiate(cfg.optimizer)
    with _blame(cfg, "optimizer"):
        optimizer([torch.nn.Parameter(torch.zeros(1))])  # now, not in the middle of Lightning
    with _blame(cfg, "model"):
        return Tagger(
            inputs.vectors,
            instantiate(cfg.encoder),
            inputs.labels,
            optimizer,
            {name: corpus.outside for name, corpus in corpora.items()},
            {name: corpus.spans for name, corpus in corpora.items()},
            cfg.model.dropout,
            weights,
            cfg.seed,
        )


@contextmanager
def _blame(cfg: DictConfig, group: str) -> Iterator[None]:
    """Turn what a constructor says of its arguments into an answer about configuration keys."""
    try:
        yield
    except (TypeError, ValueError, RuntimeError, InstantiationException) as error:
        given = " ".join(f"{group}.{k}={v}" for k, v in cfg[group].items() if k[0] != "_")
        raise UserError(f"{group}: {error}\nGiven: {given}") from error


def _describe(cfg: DictConfig, task: Task, corpus: Corpus, inputs: Inputs) -> TaskRecord:
    return TaskRecord(
        title=task.title,
        fingerprint=corpus.fingerprint(),
        statistics=inputs.statistics[corpus.task],
        sentences={split: len(sentences) for split, sentences in corpus.splits.items()},
        outside=task.outside,
        spans=task.spans,
        final_split=cfg.data.final_split,
    )


def _plain(cfg: DictConfig) -> dict[str, Any]:
    content: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    return content
