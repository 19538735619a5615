"""The Hydra application that trains: behind `train.py` and `mtl-bench train` alike."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import hydra
from omegaconf import DictConfig

from mtl_bench.commands.hydra.command_line import asks_for_help, explained_errors
from mtl_bench.commands.shared.streams import replace_what_cannot_be_printed
from mtl_bench.config.compose import register
from mtl_bench.config.mistakes.explain import help_text
from mtl_bench.config.tasks import conf_folder
from mtl_bench.sweeps.job import run_job


@hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="train")
def application(cfg: DictConfig) -> None:
    """Train one run."""
    run_job(cfg)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what the command line says.

    Args:
        arguments: of the command line; None takes those of this process.

    Raises:
        SystemExit: with the exit codes of `sweeps.exit_codes`.
    """
    if arguments is not None:
        sys.argv[1:] = arguments  # Hydra reads them there
    replace_what_cannot_be_printed()
    with explained_errors():
        register()
        if asks_for_help():
            print(help_text([each for each in sys.argv[1:] if each[:1] != "-"]))
        else:
            application()
