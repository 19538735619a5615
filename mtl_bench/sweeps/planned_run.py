"""A run of a sweep: what it is, and how far what the disk holds of it spares training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mtl_bench.config.run_key import identity, request_of
from mtl_bench.config.schema import RunConfig
from mtl_bench.runs.decision import decide, read_files, refusal
from mtl_bench.runs.record import LOG, TAGGER
from mtl_bench.runs.sweep_folder import RunStatus, SweepRun, run_status
from mtl_bench.sweeps.combinations import Overrides


@dataclass(frozen=True)
class Job:
    """A run of the sweep.

    Attributes:
        overrides: what Hydra is told.
        config: of the run.
        status: how far it is.
        checksums: of its data.
        replaced: when the run was trained whose record `overwrite=true` is to replace; None: there
            is none.
    """

    overrides: Overrides
    config: RunConfig
    status: RunStatus
    checksums: Mapping[str, Any] = field(default_factory=dict)
    replaced: str | None = None

    def status_in(self, sweep: Path) -> RunStatus:
        """Return how far the run is now.

        A finished record is no end where `overwrite=true` is to replace it, or where
        `save_weights=true` asks for a tagger that is not there.
        """
        status, folder = run_status(sweep, self.status.run), sweep / self.status.run.folder
        if status.state != "finished" or status.record is None:
            return status
        lacks_tagger = self.config.save_weights and not (folder / TAGGER).exists()
        if trained_when(status) != self.replaced and not lacks_tagger:
            return status
        problem = "it was not trained, and the earlier run is kept"
        if error := status.record.error:
            problem = f"{error.type}: {error.message}\n{problem}"
        elif (folder / LOG).exists():
            problem += f"; {folder / LOG} says why"
        return replace(status, state="failed", problem=problem)

    def is_extended(self) -> bool:
        """Return whether a finished run is to be trained longer."""
        record, run = self.status.record, self.status.run
        return bool(record and record.status == "finished" and record.steps_done < run.steps)


def state(sweep: Path, run: SweepRun, config: RunConfig, sums: Mapping[str, Any]) -> RunStatus:
    """Return how far a run is.

    Args:
        sweep: folder.
        run: of the sweep.
        config: of the run.
        sums: checksums of what it reads, as far as its data is here.

    Raises:
        UserError: its folder holds a run of another configuration.
    """
    # Most runs of a large sweep have not begun: what they are need not be computed.
    if config.overwrite or not (sweep / run.folder).is_dir():
        return RunStatus(run, "pending")
    status = run_status(sweep, run)
    if status.state in ("running", "damaged") or not {*run.tasks, "embeddings"} <= set(sums):
        return status
    own_identity = identity(config, sums)
    files = read_files(sweep / run.folder)
    decision = decide(request_of(config, own_identity), files)
    if decision.action == "refuse" and decision.obstacle != "damaged checkpoint":
        raise refusal(decision, sweep / run.folder, files, own_identity)
    if decision.action == "extend" and status.state == "finished":  # its weights are wanted
        return replace(status, state="pending", steps_done=decision.start)
    return status


def trained_when(status: RunStatus) -> str | None:
    """Return when a run was started and ended, as its record says."""
    if status.record is None:
        return None
    timings = status.record.timings
    return f"{timings.get('started')} to {timings.get('ended')}"
