"""The Hydra application that trains: behind `train.py` and `mtl-bench train` alike."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import hydra
from omegaconf import DictConfig

from mtl_bench.config import compose, explain
from mtl_bench.sweeps import job


@hydra.main(version_base="1.3", config_path=str(compose.conf_folder()), config_name="train")
def application(cfg: DictConfig) -> None:
    """Train one run."""
    job.run_job(cfg)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what the command line says.

    Args:
        arguments: of the command line; None takes those of this process.

    Raises:
        SystemExit: with the exit codes of `job`.
    """
    if arguments is not None:
        sys.argv[1:] = arguments  # Hydra reads them there
    with job.plain_errors():
        compose.register()
        if job.asks_for_help():
            print(explain.help_text([each for each in sys.argv[1:] if each[:1] != "-"]))
        else:
            application()
