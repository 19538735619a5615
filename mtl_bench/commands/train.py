"""`mtl-bench train`: train a run, or with -m a sweep; the same as `python train.py`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

HELP = "train a run, or with -m a sweep of runs: `mtl-bench train --help`"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe nothing: Hydra reads the arguments."""


def run_hydra(arguments: Sequence[str]) -> None:
    """Hand the arguments to Hydra, which ends the process with an exit code."""
    from mtl_bench.commands.hydra.application import main

    main(arguments)
