"""One run: from its configuration to its record. The whole flow, top to bottom."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import torch
from omegaconf import DictConfig

from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.run_key import checksums, config_hash, identity, tasks_of
from mtl_bench.config.schema import check
from mtl_bench.errors import UserError
from mtl_bench.files import remove_leftovers
from mtl_bench.models.kernels.compiled import kernels
from mtl_bench.models.tagger import save_tagger
from mtl_bench.runs.checkpoint import CHECKPOINT
from mtl_bench.runs.lock import Lock, lock
from mtl_bench.runs.provenance import new_record
from mtl_bench.runs.record import WANDB_ID, Record, differences, read_record
from mtl_bench.tasks.definition import Task
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.training import build
from mtl_bench.training.callbacks.checkpoints import Checkpoints
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.callbacks.progress import Progress, summary
from mtl_bench.training.loggers import close
from mtl_bench.training.recording import recorded, weights_sha256
from mtl_bench.training.signals import stoppable

WEIGHTS = "weights.pt"


def run(cfg: DictConfig, folder: Path) -> Record:
    """Train what a configuration describes, unless its folder holds the finished record.

    Args:
        cfg: the run's configuration.
        folder: of the run; created.

    Returns:
        The record, which also stands in the folder.

    Raises:
        UserError: a mistake of the user's, or the folder holds another run or is in use.
        Interrupted: SIGINT or SIGTERM asked it to stop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder) as held, stoppable():
        remove_leftovers(folder)
        there = _record_there(folder, damaged_is_none=cfg.overwrite)
        curves = Curves(cfg.data.eval_split)
        record = new_record(build.plain(cfg), cfg.seed, cfg.trainer.threads)
        failures = recorded(record, curves, folder, failures_only=True)
        with failures if there is None else nullcontext():
            check(cfg)
            tasks = tasks_of(cfg)
            embeddings = make_embeddings(cfg)
            record.identity = identity(cfg, checksums(tasks, embeddings))
            record.config_hash = config_hash(record.identity)
        if there is not None and there.status != "failed" and not cfg.overwrite:
            if there.config_hash != record.config_hash:
                raise UserError(differences(folder, there, record.identity))
            if there.status == "finished":
                if cfg.save_weights and not (folder / WEIGHTS).exists():
                    raise UserError(
                        f"{folder}: this run finished before, without keeping its weights.\n"
                        "Type `overwrite=true` to train it again and keep them."
                    )
                print(f"finished before: {folder}")
                return there
        with recorded(record, curves, folder):
            _train(cfg, folder, tasks, embeddings, record, curves, held)
            record.status = "finished"
        for file in (CHECKPOINT, WANDB_ID):
            (folder / file).unlink(missing_ok=True)
    summary(record, folder)
    return record


def _record_there(folder: Path, damaged_is_none: bool) -> Record | None:
    try:
        return read_record(folder)
    except UserError:
        if damaged_is_none:
            return None
        raise


def _train(
    cfg: DictConfig,
    folder: Path,
    tasks: Mapping[str, Task],
    embeddings: Embeddings,
    record: Record,
    curves: Curves,
    held: Lock,
) -> None:
    """Train and evaluate; fill in the record as facts come in."""
    torch.set_num_threads(cfg.trainer.threads)
    torch.backends.cudnn.allow_tf32 = False  # a GPU gives what a CPU gives, but for rounding
    quiet()
    corpora = {name: build.read_corpus(cfg, name, task) for name, task in tasks.items()}
    inputs = build.prepare_inputs(cfg, tasks, corpora, embeddings)
    for remark in build.remarks_on(cfg, tasks, corpora, inputs, embeddings):
        print(f"note: {remark}", file=sys.stderr)
    record.vectors = inputs.vector_facts
    record.tasks = {
        name: build.describe(cfg, task, corpora[name], inputs) for name, task in tasks.items()
    }
    checkpoints = Checkpoints(
        folder / CHECKPOINT,
        record.config_hash,
        curves,
        cfg.callbacks.checkpoint_seconds,
        cfg.overwrite,
    )
    data = build.make_data(cfg, inputs, start=checkpoints.steps_done)
    record.steps_planned = data.schedule.steps
    tagger = build.make_tagger(cfg, inputs, corpora)
    if cfg.trainer.compiled:
        record.versions["kernels"] = "compiled" if kernels() else "none: the plain loop ran"
    names = sorted(tasks, key=lambda name: (name != cfg.main, name))
    progress = Progress(curves, names, data.schedule.steps, cfg.callbacks.progress, held.beat)
    loggers = build.loggers_of(cfg, folder)
    try:
        intervals = len(data.schedule.intervals())
        trainer = build.make_trainer(cfg, intervals, loggers, [curves, checkpoints, progress])
        if intervals:
            trainer.fit(tagger, datamodule=data)
        record.timings["train_seconds"] = checkpoints.seconds
        tagger.evaluated = {}
        trainer.test(tagger, datamodule=data, verbose=False)
        for name, values in tagger.evaluated.items():
            record.tasks[name].final = values
            for logger in loggers:
                final = {f"final/{metric}/{name}": value for metric, value in values.items()}
                logger.log_metrics(final, step=data.schedule.steps)
    finally:
        for logger in loggers:
            close(logger)
    record.weights_sha256 = weights_sha256(tagger.state_dict())
    if cfg.save_weights:
        save_tagger(
            folder / WEIGHTS,
            tagger,
            inputs.vocabulary,
            build.plain(cfg.encoder),
            cfg.data.lowercase,
        )


def quiet() -> None:
    """Keep Lightning's remarks on hardware, and on loaders of a kind not ours, to itself."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for pattern in (
        "GPU available",
        "The `srun` command",
        ".*LeafSpec.*",
        ".*does not have many workers.*",
    ):
        warnings.filterwarnings("ignore", pattern, module="pytorch_lightning|lightning_fabric")
