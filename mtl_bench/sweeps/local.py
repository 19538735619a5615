"""A sweep on this machine: workers, what a person sees meanwhile, and the records of what died."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from omegaconf import DictConfig, open_dict

from mtl_bench.config import compose
from mtl_bench.config.run_key import schedule_of
from mtl_bench.config.schema import RunConfig
from mtl_bench.errors import UserError
from mtl_bench.runs.lock import RunningElsewhere, lock
from mtl_bench.runs.provenance import new_record
from mtl_bench.runs.record import KILLED, LOG, Error
from mtl_bench.runs.record_reading import read_record
from mtl_bench.sweeps.display import Screen
from mtl_bench.sweeps.planned_run import Job
from mtl_bench.sweeps.workers import Outcome, Workers, redirect_output

Train = Callable[[DictConfig, Path], int]


@dataclass(frozen=True)
class Order:
    """What a worker is told of a job."""

    number: int
    overrides: list[str]
    folder: Path


class HydraJob:
    """Does jobs in a worker process, configured as by Hydra's own launchers."""

    def __init__(self, loader: ConfigLoader, config: DictConfig, train: Train) -> None:
        """Take the loader and the configuration of the sweep, and what trains a run."""
        self.loader = loader
        self.config = config
        self.train = train

    def compose(self, order: Order) -> DictConfig:
        """Return the configuration of a job; Hydra's part of it is where jobs look for it."""
        cfg = self.loader.load_sweep_config(self.config, order.overrides)
        with open_dict(cfg):
            cfg.hydra.job.id = cfg.hydra.job.num = order.number
            cfg.hydra.runtime.output_dir = str(order.folder.absolute())
        HydraConfig.instance().set_config(cfg)
        job = cfg.copy()
        with open_dict(job):
            del job["hydra"]
        return job

    def __call__(self, order: Order) -> Outcome:
        """Train a run; a failure is kept in its record."""
        order.folder.mkdir(parents=True, exist_ok=True)
        redirect_output(order.folder / LOG)
        setup_globals()
        Plugins.instance()  # they bring configurations of their own
        compose.register()
        try:
            code = self.train(self.compose(order), order.folder)
        except RunningElsewhere:
            return "elsewhere"
        return "interrupted" if code > 128 else "done"


def run_jobs(jobs: Sequence[Job], sweep: Path, job: HydraJob, processes: int) -> None:
    """Train the runs of a sweep, side by side.

    Raises:
        Stopped: a signal came.
    """
    orders = [
        Order(number, each.overrides, sweep / each.status.run.folder)
        for number, each in enumerate(jobs)
    ]
    workers = Workers(processes, job, ["mtl_bench.training.run"])
    done = {each.status.run.folder: each.status.steps_done for each in jobs}
    with Screen(sweep, [each.status.run for each in jobs], done) as screen:
        for event in workers.run(orders):
            if event.job is None:
                screen.update([jobs[order.number].status.run for order in event.running])
                continue
            if event.death:
                _record_death(jobs[event.job.number].config, event.job.folder, event.death)
            if event.outcome != "elsewhere":
                screen.ended(jobs[event.job.number].status_in(sweep))


def _record_death(config: RunConfig, folder: Path, death: str) -> None:
    """Write the record that a killed process could not write.

    What an earlier part of the run left stays: its checkpoint, its curve, its steps.
    """
    try:
        with lock(folder):
            record = read_record(folder)
            if (
                record
                and record.status == "finished"
                and record.steps_done >= schedule_of(config).steps
            ):
                return  # it was killed after its end
            if record is None:
                record = new_record(asdict(config), schedule_of(config).budget, None)
                record.write(folder, [])
            if record.status != "finished":  # a run that was being extended stays what it was
                record.status = "failed"
            record.error = Error(KILLED, death)
            record.write(folder)
    except (UserError, OSError):
        return  # another sweep works on it, what is there cannot be read, or the disk is full
