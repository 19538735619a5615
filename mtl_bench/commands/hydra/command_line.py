"""The command line of `train`: arguments as Hydra wants them, mistakes without a traceback."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from mtl_bench.config.compose import is_sweep, sweeper_of
from mtl_bench.config.mistakes.explain import explain
from mtl_bench.config.mistakes.overrides import check_overrides
from mtl_bench.config.tasks import task_files
from mtl_bench.errors import UserError
from mtl_bench.sweeps.exit_codes import INTERRUPTED, USAGE, clear_sweep, sweep_exit_code
from mtl_bench.sweeps.workers import Stopped

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

SWEEPER_KEYS = {
    "recommend": (
        *("policy", "record", "parallel", "budget", "regret", "confidence"),
        *("max_seconds", "max_seeds", "max_aux"),
    ),
    "tune": ("trials", "rungs", "tuning_seed", "space"),
}
"""Keys of `conf/hydra/sweeper/<name>.yaml` that a command line may name by themselves."""

TASK_KEY = re.compile(r"^(tasks\.[^.=]+\.[^=]+=)(?!choice\(|range\(|.*,)(.+)$")
AUX_LIST = re.compile(r"^(aux=)(\[[^\]]*\])$")


@contextmanager
def explained_errors() -> Iterator[None]:
    """Explain a user's mistakes without a traceback, those that Hydra finds included; exit.

    HYDRA_FULL_ERROR=1 shows everything.
    """
    clear_sweep()
    flags, overrides = _split(sys.argv[1:])
    full = os.environ.get("HYDRA_FULL_ERROR") == "1"
    try:
        with nullcontext() if full else _explained(overrides):
            overrides = _sweeper_overrides(overrides, "-m" in flags)
            check_overrides(overrides, "-m" in flags, list(task_files()))
            if "-m" in flags:  # composed once before main is chosen, when it has no task's keys
                # Nor need it have the thousand candidates of a search.
                for pattern in (TASK_KEY, AUX_LIST):
                    overrides = [pattern.sub(r"\1choice(\2)", each) for each in overrides]
            sys.argv[1:] = [*flags, *overrides]
            yield
    except Stopped as stop:
        without = " without overwrite=true" if _overwrites(overrides) else ""
        print(f"\n{stop}; re-run the command{without} to resume.", file=sys.stderr)
        sys.exit(INTERRUPTED + stop.number)
    if code := sweep_exit_code():
        sys.exit(code)


def asks_for_help() -> bool:
    """Return whether the command line asks for help, and for nothing that only Hydra knows."""
    flags = {argument for argument in sys.argv[1:] if argument.startswith("-")}
    return bool(flags & {"-h", "--help"}) and flags <= {"-h", "--help", "-m", "--multirun"}


def _overwrites(overrides: Sequence[str]) -> bool:
    return any(override.lower() == "overwrite=true" for override in overrides)


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return Hydra's own options, in whatever place they were typed, and the overrides."""
    flags: list[str] = []
    overrides: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument in ("-m", "--multirun"):
            flags += ["-m"] * ("-m" not in flags)
        elif argument in VALUED_FLAGS:
            flags += [argument, *islice(rest, 1)]
        elif argument.startswith("-"):
            flags.append(argument)
        else:
            overrides.append("aux=[]" if argument == "aux=null" else argument)
    if "-m" not in flags and any(is_sweep(a) for a in overrides if a.startswith("experiment=")):
        flags.append("-m")
    return flags, overrides


def _sweeper_overrides(overrides: Sequence[str], multirun: bool) -> list[str]:
    """Return overrides with the sweeper that an experiment names, and its keys as Hydra has them.

    Raises:
        UserError: there are keys of a sweeper, and the command has another one, or none.
    """
    # Hydra itself prefers the sweeper of train.yaml to the experiment's.
    named = next(filter(None, map(sweeper_of, overrides)), None) if multirun else None
    typed = next((o.partition("=")[2] for o in overrides if o.startswith("hydra/sweeper=")), None)
    sweeper = (typed or named) if multirun else None
    result = [f"hydra/sweeper={named}"] if named and not typed else []
    for override in overrides:
        key = override.partition("=")[0]
        owners = [name for name, keys in SWEEPER_KEYS.items() if key.split(".")[0] in keys]
        if not owners:
            result.append(override)
        elif sweeper not in owners:
            raise UserError(f"{override}: {BELONGS[owners[0]].format(key=key)}")
        elif key.startswith("policy."):  # what the policy does not know, its check explains
            result.append(f"++hydra.sweeper.options.{override.removeprefix('policy.')}")
        else:
            result.append(f"hydra.sweeper.{override}")
    return result


BELONGS = {
    "recommend": "`{key}` belongs to a search for an auxiliary task. For one, add `-m "
    "experiment=recommend`, or `-m hydra/sweeper=recommend` to another experiment.",
    "tune": "`{key}` belongs to tuning. For that, add `-m experiment=tuned`, or `-m "
    "hydra/sweeper=tune` to another experiment.",
}


@contextmanager
def _explained(overrides: Sequence[str]) -> Iterator[None]:
    """Print the explanation of an error, and exit."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra prints its own answer and exits
    try:
        yield
    except (UserError, HydraException, OmegaConfBaseException) as error:
        print(f"\n{explain(error, overrides)}", file=sys.stderr)
        sys.exit(USAGE)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (else Python complains while it ends)
    except OSError as error:  # Hydra makes a run's folder
        if error.filename is None:
            raise
        print(
            f"\n{error.filename}: {error.strerror}. Choose another `paths.output_dir`?",
            file=sys.stderr,
        )
        sys.exit(USAGE)
    except KeyboardInterrupt:
        print("\ninterrupted by SIGINT; re-run the command to resume.", file=sys.stderr)
        sys.exit(INTERRUPTED + signal.SIGINT)
    finally:
        del os.environ["HYDRA_FULL_ERROR"]
