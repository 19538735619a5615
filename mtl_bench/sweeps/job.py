"""A run on the command line: its place in a sweep, and its exit code.

Exit codes: 0 all is done; 1 a run failed; 2 the command line or the data must be fixed; 3 another
process works on what is left; 128 + n signal n interrupted it: re-run the command to resume.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.config.compose import is_sweep, make_embeddings
from mtl_bench.config.explain import answer, unknown_key
from mtl_bench.config.run_key import checksums, identity, request_of
from mtl_bench.config.schema import RunConfig, checked, unknown_keys
from mtl_bench.errors import UserError
from mtl_bench.runs.decision import decide, read_files
from mtl_bench.runs.lock import RunningElsewhere
from mtl_bench.runs.record import RECORD, remove_unbegun
from mtl_bench.runs.sweep_folder import RunStatus
from mtl_bench.sweeps.display import show_plan
from mtl_bench.sweeps.plan import plan_single
from mtl_bench.sweeps.workers import Stopped

FAILED, USAGE, ELSEWHERE, INTERRUPTED = 1, 2, 3, 128

NOT_LOGGED = (
    "Finished runs are not logged again by {loggers}: overwrite=true trains and logs anew, another "
    "sweep_name trains beside it."
)
VALUED_FLAGS = (
    "--config-dir",
    "-cd",
    "--config-path",
    "-cp",
    "--config-name",
    "-cn",
    "--package",
    "-p",
    "--experimental-rerun",
)
"""Options of Hydra that are followed by a value."""

TASK_KEY = re.compile(r"^(tasks\.[^.=]+\.[^=]+=)(?!choice\(|range\(|.*,)(.+)$")
# Hydra keeps what a sweeper returns to itself, so that the sweeper leaves its result here.
_unfinished: list[RunStatus] = []


def run_job(cfg: DictConfig) -> None:
    """Train one run, where Hydra has made its configuration."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    single = HydraConfig.get().mode == RunMode.RUN
    if HydraConfig.get().job.chdir:
        print("note: hydra.job.chdir has no effect: paths begin where you typed", file=sys.stderr)
        os.chdir(HydraConfig.get().runtime.cwd)
    code = _run_single(cfg, folder) if single else _exit_code(cfg, folder)
    if single or code > INTERRUPTED:  # in a sweep, the others go on
        sys.exit(code)


def _run_single(cfg: DictConfig, folder: Path) -> int:
    """Train a run by itself, unless it is finished; return the exit code."""
    had_record = (folder / RECORD).exists()
    try:
        config = checked_config(cfg)
        if config.dry_run:
            show_plan(plan_single(cfg, folder), 1)
            return 0
        if _is_finished(config, folder):
            print(f"finished before: {folder}")
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
        run(checked_config(cfg), folder)
    except Interrupted as stop:
        print(f"\n{stop}; re-run the command to resume.", file=sys.stderr)
        return INTERRUPTED + stop.number
    except RunningElsewhere:
        raise
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        return USAGE
    except (Exception, SystemExit):  # code of others may call exit
        traceback.print_exc()
        print(f"\nThe run failed; its record says why: {folder}", file=sys.stderr)
        return FAILED
    return 0


def _is_finished(config: RunConfig, folder: Path) -> bool:
    """Return whether a run need not be trained; without torch, whose import takes seconds."""
    files = read_files(folder)
    if files.record is None or files.record.status != "finished":
        return False
    sums = checksums(config.tasks, make_embeddings(config.embeddings))
    return decide(request_of(config, identity(config, sums)), files).action == "skip"


def sweep_ended(runs: Sequence[RunStatus]) -> None:
    """Note the runs of a sweep that has ended; those that are not finished decide its exit code."""
    _unfinished[:] = [status for status in runs if status.state != "finished"]


@contextmanager
def plain_errors() -> Iterator[None]:
    """Answer a user's mistakes without a traceback, those that Hydra finds included.

    HYDRA_FULL_ERROR=1 shows everything.
    """
    _unfinished.clear()
    sys.argv[1:] = _arguments(sys.argv[1:])
    answered = nullcontext() if os.environ.get("HYDRA_FULL_ERROR") == "1" else _answered()
    try:
        with answered:
            yield
    except Stopped as stop:
        without = " without overwrite=true" if _overwrites() else ""
        print(f"\n{stop}; re-run the command{without} to resume.", file=sys.stderr)
        sys.exit(INTERRUPTED + stop.number)
    if _unfinished:
        sys.exit(_tell_unfinished())


def asks_for_help() -> bool:
    """Return whether the command line asks for help, and for nothing that only Hydra knows."""
    flags = {argument for argument in sys.argv[1:] if argument.startswith("-")}
    return bool(flags & {"-h", "--help"}) and flags <= {"-h", "--help", "-m", "--multirun"}


def _overwrites() -> bool:
    return any(argument.lower() == "overwrite=true" for argument in sys.argv[1:])


def _tell_unfinished() -> int:
    """Name the runs of a sweep that are not finished; return the exit code."""
    count = len(_unfinished)
    print(f"\n{count} run{'s are' if count > 1 else ' is'} not finished:", file=sys.stderr)
    for status in _unfinished:
        print(f"  {status.run.folder}: {status.problem or status.state}", file=sys.stderr)
    if all(status.state == "running" for status in _unfinished):
        return ELSEWHERE
    if all(map(_is_mistake, _unfinished)):
        return USAGE
    print("Re-run the command to resume.", file=sys.stderr)
    return FAILED


def _is_mistake(status: RunStatus) -> bool:
    """Return whether doing the same again would end the same."""
    return status.state == "damaged" or (status.problem or "").startswith("UserError")


def _arguments(given: Sequence[str]) -> list[str]:
    """Return arguments as Hydra wants them: its own options first, in whatever order they came."""
    options: list[str] = []
    overrides: list[str] = []
    rest = iter(given)
    for argument in rest:
        if argument in ("-m", "--multirun"):
            options += ["-m"] * ("-m" not in options)
        elif argument in VALUED_FLAGS:
            options += [argument, *islice(rest, 1)]
        elif argument.startswith("-"):
            options.append(argument)
        else:
            overrides.append("aux=[]" if argument == "aux=null" else argument)
    if "-m" not in options and any(is_sweep(a) for a in overrides if a.startswith("experiment=")):
        options.append("-m")
    if "-m" in options:  # composed once before main is known, where a task's own keys have no place
        overrides = [TASK_KEY.sub(r"\1choice(\2)", argument) for argument in overrides]
    return [*options, *overrides]


@contextmanager
def _answered() -> Iterator[None]:
    """Print the answer to an error, and exit."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints its own answer and exits
    try:
        yield
    except (UserError, HydraException, OmegaConfBaseException) as error:
        print(f"\n{answer(error, sys.argv[1:])}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (else Python complains while it ends)
    except OSError as error:  # Hydra makes a run's folder
        print(
            f"\n{error.filename}: {error.strerror}. Choose another `paths.output_dir`?",
            file=sys.stderr,
        )
        sys.exit(2)
    except ValueError as error:
        if "Config group override" not in str(error):
            raise
        print(
            f"\n{error}\nTo choose nothing in a group, leave the argument out; for a run of the "
            "main task alone, type aux=[].",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:
        print("\ninterrupted by SIGINT; re-run the command to resume.", file=sys.stderr)
        sys.exit(INTERRUPTED + signal.SIGINT)
    finally:
        del os.environ["HYDRA_FULL_ERROR"]
