"""A run on the command line: trained in this process, its failure printed and recorded."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.mistakes.explain import unknown_key
from mtl_bench.config.mistakes.options import check_options
from mtl_bench.config.run_key import checksums, identity, request_of, schedule_of
from mtl_bench.config.schema import RunConfig, checked, unknown_keys
from mtl_bench.errors import UserError
from mtl_bench.runs.decision import decide, read_files
from mtl_bench.runs.lock import RunningElsewhere
from mtl_bench.runs.record import RECORD, Record
from mtl_bench.runs.run_files import remove_unbegun
from mtl_bench.sweeps.display import print_final_metrics, show_plan
from mtl_bench.sweeps.exit_codes import ELSEWHERE, FAILED, INTERRUPTED, USAGE
from mtl_bench.sweeps.plan import plan_single

NOT_LOGGED = (
    "Finished runs are not logged again by {loggers}: overwrite=true trains and logs anew, another "
    "sweep_name trains beside it."
)


def run_job(cfg: DictConfig) -> None:
    """Train one run, where Hydra has made its configuration."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    single = HydraConfig.get().mode == RunMode.RUN
    if HydraConfig.get().job.chdir:
        print("note: hydra.job.chdir has no effect: paths begin where you typed", file=sys.stderr)
        os.chdir(HydraConfig.get().runtime.cwd)
    code = _run_single(cfg, folder) if single else _exit_code(cfg, folder)
    if single or code > INTERRUPTED:  # in a sweep, the others are trained
        sys.exit(code)


def _run_single(cfg: DictConfig, folder: Path) -> int:
    """Train a run by itself, unless it is finished; return the exit code."""
    had_record = (folder / RECORD).exists()
    try:
        config = checked_config(cfg)
        if config.dry_run:
            check_options(config)
            show_plan(plan_single(cfg, folder), 1)
            if not had_record:
                remove_unbegun(folder, Path(cfg.paths.output_dir))
            return 0
        if record := _finished(config, folder):
            print(finished_before(record, config, folder))
            if config.logger:
                print(NOT_LOGGED.format(loggers=", ".join(config.logger)))
            return 0
        code = _exit_code(cfg, folder)
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        code = USAGE
    if code == USAGE and not had_record:  # what was mistyped is no run
        remove_unbegun(folder, Path(cfg.paths.output_dir))
    return code


def checked_config(cfg: DictConfig) -> RunConfig:
    """Return a configuration as typed sections.

    Raises:
        UserError: it has an unknown key, or a value that is not allowed.
    """
    arguments = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    for key in unknown_keys(cfg):
        raise UserError(unknown_key(key, key, arguments))
    return checked(cfg)


def _exit_code(cfg: DictConfig, folder: Path) -> int:
    """Train a run; return the exit code, that of a run that another process works on included."""
    try:
        return train(cfg, folder)
    except RunningElsewhere as error:
        print(f"\n{error}", file=sys.stderr)
        return ELSEWHERE


def train(cfg: DictConfig, folder: Path) -> int:
    """Train a run; its failure is printed, and kept in its record.

    Returns:
        The exit code.

    Raises:
        RunningElsewhere: another process works on it.
    """
    from mtl_bench.training.run import run  # imports torch: only where one trains
    from mtl_bench.training.signals import Interrupted

    try:
        config = checked_config(cfg)
        check_options(config)
        record, action = run(config, folder)
        if action == "skip":
            print(finished_before(record, config, folder))
        else:
            print_final_metrics(record, folder)
    except Interrupted as stop:
        print(f"\n{stop}; re-run the command to resume.", file=sys.stderr)
        return INTERRUPTED + stop.number
    except RunningElsewhere:
        raise
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        return USAGE
    except (Exception, SystemExit) as error:  # code of others may call exit
        if isinstance(error, OSError) and error.filename is not None:
            text = f"{error.filename}: {error.strerror}. Re-run the command to resume."
        else:
            traceback.print_exc()
            text = f"The run failed; its record says why: {folder}"
        print(f"\n{text}", file=sys.stderr)
        return FAILED
    return 0


def finished_before(record: Record, config: RunConfig, folder: Path) -> str:
    """Return what to say of a run that need not be trained."""
    asked = schedule_of(config).budget
    longer = f", to a budget of {record.budget:g}: its curve has {asked:g}"
    return f"finished before{longer if record.budget > asked else ''}: {folder}"


def _finished(config: RunConfig, folder: Path) -> Record | None:
    """Return the record of a run that need not be trained, else None.

    It imports no torch, which takes seconds.
    """
    files = read_files(folder)
    if files.record is None or files.record.status != "finished":
        return None
    sums = checksums(config.tasks, make_embeddings(config.embeddings))
    decision = decide(request_of(config, identity(config, sums)), files)
    return files.record if decision.action == "skip" else None
