"""What happens when a multirun has ended: gains, study and page, from what is on disk."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from mtl_bench.commands.gains import print_gains
from mtl_bench.commands.report import write_page
from mtl_bench.commands.shared.closing_text import ClosingText
from mtl_bench.commands.shared.study_text import answers_text
from mtl_bench.commands.study import study_sweep
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import PLAN, RunStatus, read_sweep


class StudyCallback(Callback):
    """Hydra calls this at the end of a multirun, whatever launcher it used."""

    def __init__(self, overrides: Sequence[str] = ()) -> None:
        """Take overrides of the study, such as `study=full`."""
        self.overrides = list(overrides)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Look at what is on disk: with parallel launchers nothing else has come back here."""
        sweep = Path(config.hydra.sweep.dir)
        if config.dry_run or not (sweep / PLAN).exists():
            return
        try:
            stored = read_sweep(sweep)
            _print_gains(stored)
            closing = ClosingText(sweep, stored, self.overrides)
            if text := closing.read():
                print(text)
                return
            texts = []
            for done in study_sweep(sweep, stored, self.overrides or None):
                texts.append(
                    f"\n{answers_text(done.study)}\n\n"
                    f"The study is in {done.out}; `mtl-bench study {sweep}` prints it.\n"
                    f"Look at it: {write_page(done)}"
                )
                print(texts[-1])
            closing.write("\n".join(texts))
        except UserError as error:
            print(f"\nNo study: {error}", file=sys.stderr)
        except Exception:  # Hydra would turn it into a warning
            traceback.print_exc()
            print(
                f"\nThe study failed; runs are kept. Again: mtl-bench study {sweep}",
                file=sys.stderr,
            )


def _print_gains(stored: Sequence[RunStatus]) -> None:
    """Print gains, or why there are none; study and page show the runs all the same."""
    try:
        print_gains(stored)
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
