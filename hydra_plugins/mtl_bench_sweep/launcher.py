"""`hydra/launcher=workers`: the runs of a sweep side by side on this machine, each contained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from mtl_bench.errors import UserError

if TYPE_CHECKING:
    from mtl_bench.sweeps.plan import Plan


class WorkersLauncher(Launcher):
    """As many processes as cores, unless told otherwise."""

    plan: Plan | None = None  # the sweeper's, if it is `sets`

    def __init__(self, processes: int | None) -> None:
        """Take the number of processes; None: one for each core that this process may use."""
        if processes is not None and (type(processes) is not int or processes < 1):
            raise UserError(
                f"hydra.launcher.processes is {processes!r}; it is a whole number from 1, or null: "
                "as many as cores."
            )
        # Not os.cpu_count(): taskset, Slurm or a container may leave this process fewer.
        self.processes = processes or len(os.sched_getaffinity(0))

    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,  # noqa: ARG002 (workers import the function by its name)
        config: DictConfig,
    ) -> None:
        """Keep what a job needs."""
        self.config = config
        self.loader = hydra_context.config_loader

    def launch(
        self,
        job_overrides: Sequence[Sequence[str]],
        initial_job_idx: int,  # noqa: ARG002
    ) -> Sequence[JobReturn]:
        """Train the runs."""
        from mtl_bench.sweeps.job import train
        from mtl_bench.sweeps.local import HydraJob, run_jobs
        from mtl_bench.sweeps.plan import make_plan

        plan = self.plan or make_plan(
            [list(job) for job in job_overrides],
            lambda job: self.loader.load_sweep_config(self.config, job),
        )
        run_jobs(plan.left(), plan.sweep, HydraJob(self.loader, self.config, train), self.processes)
        return []
