"""A run on the command line: its place in a sweep, and its exit code.

Exit codes: 0 all is done; 1 a run failed; 2 the command line or the data needs mending;
128 + n the run was interrupted by signal n, and the same command goes on with it.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.answers import answer, unknown_key
from mtl_bench.compose import unknown_keys
from mtl_bench.errors import UserError

_failed: list[str] = []  # runs of this process's sweep


def run_job(cfg: DictConfig) -> None:
    """Train one run; in a sweep, a failure is kept in its record and the sweep goes on."""
    from mtl_bench.training.resume import Interrupted  # both import torch: only where one trains
    from mtl_bench.training.run import run

    folder = Path(HydraConfig.get().runtime.output_dir)
    try:
        for key in unknown_keys(cfg):
            raise UserError(unknown_key(key, key, HydraConfig.get().overrides.task))
        run(cfg, folder)
    except Interrupted as stop:
        print(f"\n{stop}; the same command goes on from here.", file=sys.stderr)
        sys.exit(128 + stop.number)
    except Exception as error:
        if isinstance(error, UserError):
            print(f"\n{error}", file=sys.stderr)
        else:
            traceback.print_exc()
            print(f"\nThe run failed; its record says why: {folder}", file=sys.stderr)
        if HydraConfig.get().mode == RunMode.RUN:
            sys.exit(2 if isinstance(error, UserError) else 1)
        _failed.append(str(folder))


@contextmanager
def plain_errors() -> Iterator[None]:
    """Answer a user's mistakes without a traceback, those that Hydra finds included.

    HYDRA_FULL_ERROR=1 shows everything.
    """
    _failed.clear()
    # Hydra's parser takes -m only before or after all overrides.
    sys.argv[1:] = ["aux=[]" if argument == "aux=null" else argument for argument in sys.argv[1:]]
    sys.argv[1:] = sorted(sys.argv[1:], key=lambda argument: argument not in ("-m", "--multirun"))
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        yield
    else:
        with _answered():
            yield
    if _failed:
        print(f"\n{len(_failed)} runs failed:", *_failed, sep="\n  ", file=sys.stderr)
        sys.exit(1)


@contextmanager
def _answered() -> Iterator[None]:
    """Print the answer to an error, and exit."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints its own answer and exits
    try:
        yield
    except (UserError, HydraException, OmegaConfBaseException) as error:
        print(f"\n{answer(error, sys.argv[1:])}", file=sys.stderr)
        sys.exit(2)
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
        print("\ninterrupted by SIGINT; the same command goes on from here.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    finally:
        del os.environ["HYDRA_FULL_ERROR"]
