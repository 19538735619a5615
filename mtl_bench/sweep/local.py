"""A sweep on this machine: workers, what a person sees meanwhile, and the records of what died."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from omegaconf import DictConfig, OmegaConf, open_dict

from mtl_bench import compose
from mtl_bench.runs.lock import RunningElsewhere
from mtl_bench.runs.provenance import new_record
from mtl_bench.runs.store import look
from mtl_bench.sweep.plan import Job
from mtl_bench.sweep.screen import Screen
from mtl_bench.sweep.workers import Outcome, Stopped, Workers, redirect_output

LOG = "log.txt"
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
        SystemExit: a signal stopped the sweep.
    """
    orders = [
        Order(number, each.overrides, sweep / each.stored.planned.folder)
        for number, each in enumerate(jobs)
    ]
    workers = Workers(processes, job, ["mtl_bench.training.run"])
    try:
        with Screen(sweep, [each.stored.planned for each in jobs]) as screen:
            for event in workers.run(orders):
                if event.job is None:
                    screen.look([jobs[o.number].stored.planned for o in event.running])
                    continue
                planned = jobs[event.job.number].stored.planned
                if event.death:
                    _record_death(job.compose(event.job), event.job.folder, event.death)
                if event.outcome != "elsewhere":
                    screen.ended(look(sweep, planned))
    except Stopped as stop:
        print(f"\n{stop}; the same command goes on from here.", file=sys.stderr)
        sys.exit(128 + stop.number)


def _record_death(cfg: DictConfig, folder: Path, death: str) -> None:
    """Write the record that a killed process could not write; its checkpoint stays."""
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    record = new_record({str(k): v for k, v in config.items()}, cfg.seed, cfg.trainer.threads)
    record.error = {"type": "Killed", "message": death, "traceback": ""}
    record.write(folder, [])
