"""The parts of a run, each made from its section of the configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from hydra.errors import InstantiationException
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.loggers import Logger

from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.mistakes.options import task_options
from mtl_bench.config.run_key import sampler_uses_main
from mtl_bench.config.schema import OUR_TRAINER_KEYS, RunConfig
from mtl_bench.config.tasks import make_reader, make_type
from mtl_bench.errors import UserError
from mtl_bench.models.encoders.base import Encoder
from mtl_bench.models.inputs.prepare import Prepared, ReadingOptions, prepare
from mtl_bench.models.tagger import Dropout, Tagger, called
from mtl_bench.models.task_options import TaskOptions
from mtl_bench.models.weights import Kept
from mtl_bench.runs.record import Metric, TaskRecord
from mtl_bench.runs.schedule import Schedule
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import SplitName
from mtl_bench.tasks.load import load_corpus
from mtl_bench.text.embeddings import Embeddings
from mtl_bench.training.data import Batching, TaskDataModule
from mtl_bench.training.language_models import check_directions, check_mask, type_for
from mtl_bench.training.loggers import make_loggers
from mtl_bench.training.notes import Evaluation, remarks
from mtl_bench.trust import make


@dataclass(frozen=True)
class Parts:
    """What a run is trained with.

    Attributes:
        corpora: by task, each with a dev split.
        embeddings: where word vectors come from.
        prepared: input and encoded splits.
        data: the batches.
        tagger: the untrained model.
    """

    corpora: dict[str, Corpus]
    embeddings: Embeddings
    prepared: Prepared
    data: TaskDataModule
    tagger: Tagger


def assemble(config: RunConfig, schedule: Schedule, start: int = 0) -> Parts:
    """Return the parts of a run that is trained from step `start` on."""
    corpora = read_corpora(config)
    embeddings = make_embeddings(config.embeddings)
    prepared = prepare_inputs(config, corpora, embeddings)
    data = make_data(config, prepared, schedule, start)
    return Parts(corpora, embeddings, prepared, data, make_tagger(config, prepared))


def read_corpora(config: RunConfig) -> dict[str, Corpus]:
    """Return the corpora of a run's tasks, each with a dev split."""
    corpora = {}
    for name in config.task_set():
        task = config.tasks[name]
        corpus = load_corpus(name, task, make_reader(name, task), make_type(name, task))
        corpus = corpus.with_dev(config.data.dev_fraction, config.data.split_seed)
        corpora[name] = replace(corpus, type=type_for(config, corpus.type))
    return corpora


def prepare_inputs(
    config: RunConfig, corpora: Mapping[str, Corpus], embeddings: Embeddings
) -> Prepared:
    """Return what the run computes with."""
    data = config.data
    check_directions(config, corpora, embeddings)  # before states are computed for minutes
    eval_split, final_split = _splits(config)
    options = ReadingOptions(
        max_length={name: task.max_length for name, task in config.tasks.items()},
        eval_split=eval_split,
        final_split=final_split,
        truncate_eval=data.truncate_eval,
        lowercase=data.lowercase,
        seed=config.seed,
    )
    prepared = prepare(corpora, embeddings, options)
    check_mask(prepared)
    return prepared


def notes_on(config: RunConfig, parts: Parts) -> Iterator[str]:
    """Yield what the run leaves out or does not know, a line each."""
    data = config.data
    batch = data.batch_size if data.drop_last else None
    yield from remarks(
        parts.corpora,
        {name: task.max_length for name, task in config.tasks.items()},
        Evaluation(_splits(config), data.truncate_eval, batch),
        parts.prepared.input,
        parts.embeddings,
    )
    if len(parts.corpora) == 1 and sampler_uses_main(config.sampler):
        yield "a run of one task draws no tasks: `sampler` has no effect"
    if len(parts.corpora) == 1 and config.loss_weights:
        yield "a run of one task has one loss: `loss_weights` has no effect"


def _splits(config: RunConfig) -> tuple[SplitName, SplitName]:
    """Return the splits evaluated while training and at its end; the schema has checked them."""
    return cast(tuple[SplitName, SplitName], (config.data.eval_split, config.data.final_split))


def make_data(
    config: RunConfig, inputs: Prepared, schedule: Schedule, start: int
) -> TaskDataModule:
    """Return the batches of a run, from step `start` on."""
    with named_errors("sampler", config.sampler):
        make = _factory("sampler", config.sampler)
        sampler = make({name: len(split) for name, split in inputs.train.items()}, config.main)
    batching = Batching(
        config.data.batch_size, config.seed, config.data.drop_last, config.data.accumulate
    )
    return TaskDataModule(inputs, sampler, schedule, batching, start)


def make_tagger(config: RunConfig, inputs: Prepared) -> Tagger:
    """Return the untrained model of a run."""
    # Right before the layers draw: what was built before must not shift their start values.
    torch.manual_seed(config.seed)
    with named_errors("optimizer", config.optimizer):
        optimizer = _factory("optimizer", config.optimizer)
        trial = torch.nn.Parameter(torch.zeros(1))
        takes_names = getattr(called(optimizer), "takes_names", False)
        # Now, not in the middle of Lightning.
        optimizer([("trial", trial)] if takes_names else [trial])
    with named_errors("encoder", config.encoder):
        make_encoder = _factory("encoder", config.encoder)

    def encoder(size: int) -> Encoder:
        with named_errors("encoder", config.encoder):
            made: Encoder = make_encoder(size)
            return made

    with named_errors("model", asdict(config.model)):
        dropout = Dropout(config.model.dropout, config.seed)
        options = _task_options(config)
        tagger = Tagger(inputs.input, encoder, inputs.tasks, optimizer, dropout, options)
    if config.model.loss_over == "positions":
        for name in inputs.train:
            # Beside the words start and end symbol; the schema has checked that there is a limit.
            tagger.head(name).pad((config.tasks[name].max_length or 0) + 2)
    if config.model.bias_start == "glorot":
        for name in inputs.train:
            tagger.head(name).draw_bias()
    if config.model.label_weights == "balanced":
        for name, split in inputs.train.items():
            tagger.head(name).balance(split.targets)
    return tagger


def _task_options(config: RunConfig) -> TaskOptions:
    """Return what differs between the tasks of a run."""
    options = task_options(config)
    return TaskOptions(
        loss_weights=config.loss_weights
        if config.loss_weights == "uncertainty"
        else options["loss_weights"],
        rates=options["task_lr"],
        private_layers=options["model.private_layers"],
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
            # Each interval has its own steps, and the last one may end without an evaluation.
            reload_dataloaders_every_n_epochs=1,
            # Lightning's check before the first step would add a row for step 0 to the curve.
            num_sanity_val_steps=0,
            logger=loggers,
            log_every_n_steps=1,
            callbacks=callbacks,
            # See callbacks/checkpoints.py: what Lightning saves after `fit` resumes wrongly.
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
        factory = make(node, f"{group}._target_")
    except InstantiationException:
        if node.get("_partial_"):
            raise
        factory = None
    if not callable(factory):
        raise UserError(
            f"{group}: add `_partial_: true` to its yaml. {node.get('_target_')} takes more "
            "than the options there, which a run gives it later."
        )
    result: Callable[..., Any] = factory
    return result


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
        options = " ".join(f"{group}.{k}={v}" for k, v in node.items() if k[0] != "_")
        raise UserError(f"{group}: {error}\nGiven: {options}") from error


def describe(config: RunConfig, parts: Parts) -> dict[str, TaskRecord]:
    """Return what is known of the tasks before they are trained."""
    return {
        name: TaskRecord(
            title=config.tasks[name].title,
            type=corpus.type.name,
            options=corpus.type.options(),
            fingerprint=corpus.fingerprint(),
            statistics=parts.prepared.statistics[name],
            sentences={split: len(sentences) for split, sentences in corpus.splits.items()},
            metrics={
                metric: Metric(of.title, of.higher_is_better, of.is_share)
                for metric, of in corpus.type.metrics.items()
            },
            final_split=config.data.final_split,
        )
        for name, corpus in parts.corpora.items()
    }


def weights_sha256(kept: Mapping[str, Kept]) -> str:
    """Return the sha256 over names and bytes of the weights that tasks kept."""
    digest = hashlib.sha256()
    for step, weights in sorted({each.step: each.weights for each in kept.values()}.items()):
        digest.update(str(step).encode())
        # Sorted: the order in which the model registers its parts is no part of the result.
        for name in sorted(weights):
            digest.update(name.encode())
            digest.update(weights[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
