"""What happens around a run on the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omegaconf import DictConfig

from mtl_bench.errors import UserError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show a user's mistakes without a traceback."""
    try:
        yield
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
        sys.exit(2)


def train(cfg: DictConfig) -> None:
    from hydra.core.hydra_config import HydraConfig
    from mtl_bench.training.run import run
    run(cfg, Path(HydraConfig.get().runtime.output_dir))
