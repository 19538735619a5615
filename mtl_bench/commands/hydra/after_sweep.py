"""What happens when a multirun has ended: gains, study and page, from what is on disk."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from mtl_bench.commands.shared.study_pipeline import FinishedStudy, study_sweep
from mtl_bench.commands.shared.study_text import conclusions_text
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import PLAN, RunStatus, read_sweep


class StudyCallback(Callback):
    """Hydra calls this at the end of a multirun, whatever launcher it used."""

    def __init__(self, overrides: Sequence[str] = ()) -> None:
        """Take overrides of the study, such as `study=full`."""
        self.overrides = list(overrides)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Read what is on disk: with parallel launchers nothing else has come back here."""
        sweep = Path(config.hydra.sweep.dir)
        if config.dry_run or not (sweep / PLAN).exists():
            return
        try:
            statuses = read_sweep(sweep)
            choices = OmegaConf.select(config, "hydra.runtime.choices") or {}
            if choices.get("hydra/sweeper") == "tune":
                return  # it has printed its answer; trials are no study
            if choices.get("hydra/sweeper") == "recommend":
                self._write_pages(sweep, statuses)  # the search has printed its answer
                return
            _print_gains(sweep, statuses)
            self._print_study(sweep, statuses)
        except UserError as error:
            print(f"\nNo study: {error}", file=sys.stderr)
        except Exception:  # Hydra would turn it into a warning
            traceback.print_exc()
            print(
                f"\nThe study failed; runs are kept. Again: mtl-bench study {sweep}",
                file=sys.stderr,
            )

    def _write_pages(self, sweep: Path, statuses: Sequence[RunStatus]) -> None:
        """Write the page of each variant, which begins with the recommendation."""
        print()
        for finished in study_sweep(sweep, statuses, self.overrides or None):
            print(_page(finished))

    def _print_study(self, sweep: Path, statuses: Sequence[RunStatus]) -> None:
        """Print the conclusions of a study: of one that is made now, or of the same one before."""
        from mtl_bench.commands.shared.closing_text import ClosingText  # joblib

        closing = ClosingText(sweep, statuses, self.overrides)
        if text := closing.read():
            print(text)
            return
        texts = []
        for finished in study_sweep(sweep, statuses, self.overrides or None):
            texts.append(
                f"\n{conclusions_text(finished.study)}\n\n"
                f"The study is in {finished.folder}; `mtl-bench study {sweep}` prints it.\n"
                f"{_page(finished)}"
            )
            print(texts[-1])
        closing.write("\n".join(texts))


def _page(finished: FinishedStudy) -> str:
    """Write the page of a study; return where it is, or why there is none."""
    try:
        return f"Its page: {finished.write_page()}"
    except UserError as error:
        return f"No page: {error}"


def _print_gains(sweep: Path, statuses: Sequence[RunStatus]) -> None:
    """Print gains, or why there are none; study and page show the runs all the same."""
    from mtl_bench.commands.shared.gains_text import print_gains  # pandas, scipy: 1 s

    try:
        print_gains(sweep, statuses)
    except UserError as error:
        print(f"\n{error}", file=sys.stderr)
