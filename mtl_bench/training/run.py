"""One run: from its configuration to its record. The whole flow, top to bottom."""

from __future__ import annotations

import logging
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.folders import experiment
from mtl_bench.config.run_key import checksums, identity, request_of, schedule_of
from mtl_bench.config.schema import RunConfig
from mtl_bench.files import remove_leftovers
from mtl_bench.models import kernels
from mtl_bench.models.tagger import Tagger
from mtl_bench.models.weights import Kept, save_tagger
from mtl_bench.runs.checkpoint_header import CHECKPOINT
from mtl_bench.runs.decision import Action, Decision, decide, read_files, refusal
from mtl_bench.runs.lock import lock
from mtl_bench.runs.provenance import new_record
from mtl_bench.runs.record import TAGGER, WANDB_ID, Record
from mtl_bench.runs.schedule import Schedule
from mtl_bench.training import build
from mtl_bench.training.callbacks.checkpoints import Checkpoints
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.callbacks.kept import KeptWeights
from mtl_bench.training.callbacks.progress import Progress
from mtl_bench.training.loggers import close
from mtl_bench.training.recorder import Recorder
from mtl_bench.training.signals import stoppable


@dataclass(frozen=True)
class Session:
    """A run that is being trained in this process.

    Attributes:
        config: of the run.
        folder: of the run.
        recorder: of its record and curves, filled in as facts come in.
        decision: whether it is trained from the start, resumed or extended.
        schedule: to train to.
        beat: called with the step reached and the steps in all, for those who look on.
    """

    config: RunConfig
    folder: Path
    recorder: Recorder
    decision: Decision
    schedule: Schedule
    beat: Callable[[int, int], None]


class RunResult(NamedTuple):
    """The record of a run, and what was done for it."""

    record: Record
    action: Action


def run(config: RunConfig, folder: Path) -> RunResult:
    """Train what a configuration describes, unless its folder holds a run that is long enough.

    Args:
        config: of the run.
        folder: of the run; created.

    Returns:
        The record, which also stands in the folder, and what was done.

    Raises:
        UserError: a mistake of the user's, or the folder holds another run or is in use.
        Interrupted: SIGINT or SIGTERM asked it to stop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder) as own_lock, stoppable():
        # Under the lock: another process may be writing what looks like a leftover.
        remove_leftovers(folder)
        files = read_files(folder)
        schedule = schedule_of(config)
        record = new_record(asdict(config), schedule.budget, experiment())
        curves = Curves(config.data.eval_split)
        with Recorder(record, folder, curves, files) as recorder:
            # Inside the block: the record is to say that data is missing.
            sums = checksums(config.tasks, make_embeddings(config.embeddings))
            record.identity = identity(config, sums)
            request = request_of(config, record.identity)
            record.run_key = request.run_key
            decision = decide(request, files)
            if decision.action == "refuse":
                raise refusal(decision, folder, files, record.identity)
            if decision.action == "skip" and files.record:
                return RunResult(files.record, "skip")
            schedule = schedule.until(decision.steps)
            record.budget = schedule.budget
            tagger, kept = _train(
                Session(config, folder, recorder, decision, schedule, own_lock.beat)
            )
        # After the record: weights without one would be taken for those of the one before.
        if config.save_weights:
            save_tagger(folder / TAGGER, tagger, kept, config.main)
        if not config.keep_checkpoint:
            for name in (CHECKPOINT, WANDB_ID):
                (folder / name).unlink(missing_ok=True)
    return RunResult(record, decision.action)


def _train(session: Session) -> tuple[Tagger, dict[str, Kept]]:
    """Build, fit, test; return the model, and the weights that each task kept."""
    config, recorder, start = session.config, session.recorder, session.decision.start
    record, curves = recorder.record, recorder.curves
    torch.set_num_threads(config.trainer.threads)
    torch.backends.cudnn.allow_tf32 = False  # a GPU gives what a CPU gives, but for rounding
    quiet_lightning()
    record.versions["kernels"] = kernels.use(config.trainer.compiled, config.trainer.accelerator)
    parts = build.assemble(config, session.schedule, start)
    data, tagger = parts.data, parts.tagger
    for note in build.notes_on(config, parts):
        print(f"note: {note}", file=sys.stderr)
    record.inputs = parts.prepared.input.facts
    record.tasks = build.describe(config, parts)
    checkpoint = session.folder / CHECKPOINT
    kept = KeptWeights(curves, best=config.keep == "best")
    checkpoints = Checkpoints(
        checkpoint, record.run_key, curves, kept, config.callbacks.checkpoint_seconds
    )
    progress = Progress(curves, record, session.schedule, config.callbacks.progress, session.beat)
    if start:
        checkpoints.read()  # before anything is replaced: it may be damaged
    loggers = build.make_run_loggers(config, session.folder, fresh=config.overwrite and not start)
    try:
        trainer = build.make_trainer(
            config, len(data.intervals), loggers, [curves, kept, checkpoints, progress]
        )
        recorder.begin(session.decision)
        if data.intervals:
            trainer.fit(tagger, datamodule=data)
        else:  # stopped in its final evaluation, or trained again for its weights only
            checkpoints.load_trained(tagger)
        record.timings["train_seconds"] = checkpoints.seconds
        by_task: dict[str, Kept] = {}
        for weights, names in kept.by_step(tagger):
            tagger.load_trained_weights(weights.weights)
            data.final_tasks = names
            trainer.test(tagger, datamodule=data, verbose=False)
            by_task |= dict.fromkeys(names, weights)
            for name in names:
                record.tasks[name].final = tagger.evaluated[name]
                record.tasks[name].kept_step = weights.step
        for name, task in record.tasks.items():
            final = {f"final/{metric}/{name}": value for metric, value in task.final.items()}
            for logger in loggers:
                logger.log_metrics(final, step=session.schedule.steps)
    finally:
        for logger in loggers:
            close(logger)
    record.weights_sha256 = build.weights_sha256(by_task)
    # A tagger of a smaller budget would be taken for this one's.
    shutil.rmtree(session.folder / TAGGER, ignore_errors=True)
    return tagger, by_task


def quiet_lightning() -> None:
    """Keep Lightning's remarks on hardware, and on loaders of a kind not ours, to itself."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for pattern in (
        "GPU available",
        "The `srun` command",
        ".*LeafSpec.*",
        ".*does not have many workers.*",
        "Found .* in eval mode at the start",  # a frozen encoder drops nothing
        "Total length of .* across ranks is zero",  # an interval that no evaluation ends
    ):
        warnings.filterwarnings("ignore", pattern, module="pytorch_lightning|lightning_fabric")
