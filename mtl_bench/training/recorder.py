"""Writes the record of a run, however the run ends."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from types import TracebackType

from mtl_bench.runs.decision import Decision, RunFiles
from mtl_bench.runs.provenance import now
from mtl_bench.runs.record import Error, Record
from mtl_bench.runs.run_files import remove_run_files
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.signals import Interrupted


class Recorder:
    """Writes record and curve when its block ends: at its end, at an error, at an interruption.

    While a finished run is extended, its record stands until the new one is finished: what was
    trained before can be read all the time, and an interruption changes nothing. An error is noted
    in it, whether training had begun or not. The record of another run is never changed, nor is
    one where it is not known yet which run this is: then data is missing.
    """

    def __init__(self, record: Record, folder: Path, curves: Curves, files: RunFiles) -> None:
        """Take what to write.

        Args:
            record: to be filled in by the block.
            folder: of the run.
            curves: of the run.
            files: what the folder holds before.
        """
        self.record = record
        self.folder = folder
        self.curves = curves
        self._files = files
        self._decision: Decision | None = None
        self._started = time.monotonic()

    def begin(self, decision: Decision) -> None:
        """Note that the run is trained now; what is to be replaced is removed."""
        self._decision = decision
        # Not before: a run that is refused, or cannot be built, leaves the earlier one as it was.
        if decision.action == "train":
            remove_run_files(self.folder)

    def __enter__(self) -> Recorder:
        """Start the clock."""
        self._started = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write."""
        record, files = self.record, self._files
        record.status = "finished"
        if error is not None:
            record.status = "interrupted" if isinstance(error, Interrupted) else "failed"
            text = "".join(traceback.format_exception(error))
            record.error = Error(type(error).__name__, str(error), text)
        record.steps_done = self.curves.step
        record.timings["wall_seconds"] = time.monotonic() - self._started
        record.timings["ended"] = now()
        if self._decision is None:
            self._write_early(record)
        # A run being extended keeps the record of its finished part until the longer one is done.
        elif self._decision.action != "extend" or record.status == "finished":
            record.write(self.folder, self.curves.rows)
        elif record.status == "failed" and files.record:
            files.record.error = record.error
            files.record.write(self.folder)

    def _write_early(self, record: Record) -> None:
        """Write why the run did not begin, where that replaces nothing of value."""
        earlier = self._files.record
        if record.error is None or self._files.problem is not None:
            return
        if earlier is None:
            record.write(self.folder, self.curves.rows)
        elif earlier.run_key == record.run_key:
            if earlier.status != "finished":
                earlier.status = record.status
            elif record.status == "interrupted":
                return
            earlier.error = record.error
            earlier.write(self.folder)
