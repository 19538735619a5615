"""What happens when a multirun has ended: its gains are printed, and what is missing is named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from mtl_bench.commands.gains import print_gains
from mtl_bench.errors import UserError
from mtl_bench.runs.store import PLAN, read_sweep


class StudyCallback(Callback):
    """Hydra calls this at the end of a multirun, whatever launcher it used."""

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Look at what is on disk: with parallel launchers nothing else has come back here."""
        sweep = Path(config.hydra.sweep.dir)
        if not config.dry_run and (sweep / PLAN).exists():
            try:
                print_gains(read_sweep(sweep))
            except UserError as error:  # Hydra would turn it into a warning
                print(f"\n{error}", file=sys.stderr)
