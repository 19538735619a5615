"""`hydra/sweeper=sets`: every task set once, in whatever order main and aux name it."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from hydra_plugins.mtl_bench_sweep.launcher import WorkersLauncher


class SetsSweeper(BasicSweeper):
    """Plans a sweep, shows the plan, and launches what is not finished."""

    def sweep(self, arguments: list[str]) -> Any:
        """Do what the arguments multiply to."""
        from mtl_bench.runs.sweep_folder import write_plan
        from mtl_bench.sweeps.display import show_plan
        from mtl_bench.sweeps.estimate import seconds_left
        from mtl_bench.sweeps.exit_codes import sweep_ended
        from mtl_bench.sweeps.plan import make_plan

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        loader, config = self.hydra_context.config_loader, self.config
        parser = OverridesParser.create(config_loader=loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        # In one batch: merging and baselines need to see all jobs.
        [jobs] = self.split_arguments(overrides, None)
        plan = make_plan(jobs, lambda job: loader.load_sweep_config(config, job))
        plan.check_options()
        # What another launcher runs side by side is not known here: the estimate is for one.
        processes = 1
        if isinstance(self.launcher, WorkersLauncher):
            self.launcher.plan, processes = plan, self.launcher.processes
        show_plan(plan, processes, seconds_left(plan, processes))
        if plan.dry_run:
            return []
        plan.sweep.mkdir(parents=True, exist_ok=True)
        write_plan(plan.sweep, [job.status.run for job in plan.jobs])
        if jobs_left := plan.left():
            try:
                self.launcher.launch([job.overrides for job in jobs_left], initial_job_idx=0)
            except Exception:  # of a launcher that breaks; the disk knows what was done
                traceback.print_exc()
                print("\nThe launcher broke; what it did is kept.", file=sys.stderr)
        sweep_ended([job.status_in(plan.sweep) for job in plan.jobs])
        return []
