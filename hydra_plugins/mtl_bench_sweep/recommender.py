"""`hydra/sweeper=recommend`: which auxiliary task? Trains in rounds what the answer needs."""

from __future__ import annotations

import sys
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from hydra_plugins.mtl_bench_sweep.launcher import WorkersLauncher
from mtl_bench.errors import UserError

PARALLEL = 4
"""Runs of a round, where the launcher is not ours and does not say how many it trains at once."""


class RecommendSweeper(BasicSweeper):
    """Asks a policy what to train next, hands that to the launcher, and prints the answer."""

    def __init__(
        self,
        max_batch_size: int | None,
        params: Any,
        policy: str,
        options: Any,
        record: str | None,
        parallel: int | None,
        **limits: Any,
    ) -> None:
        """Take the options.

        Args:
            max_batch_size: of Hydra's own sweeper; without effect.
            params: of Hydra's own sweeper.
            policy: name of what decides what to train.
            options: of the policy.
            record: sweep, or `published`, whose gains tell of candidates.
            parallel: runs of a round; None: as many as the launcher trains at once.
            limits: see `analysis.recommend.search.SearchLimits`.
        """
        super().__init__(max_batch_size, params)
        self.policy, self.options = policy, options
        self.record, self.parallel = record, parallel
        self.limits = limits
        self._jobs_begun = 0

    def sweep(self, arguments: list[str]) -> Any:
        """Search for the auxiliary of each main task."""
        from mtl_bench.analysis.recommend.search import checked_limits
        from mtl_bench.commands.hydra.question import question
        from mtl_bench.commands.hydra.start_searches import make_searches, show_searches
        from mtl_bench.commands.shared.policies import make_policy
        from mtl_bench.sweeps.exit_codes import FAILED, sweep_ended
        from mtl_bench.sweeps.plan import make_plan
        from mtl_bench.sweeps.rounds import run_rounds

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        loader, config = self.hydra_context.config_loader, self.config
        limits = checked_limits(self.limits)
        policy = make_policy(self.policy, dict(self.options))
        if self.parallel is not None and (type(self.parallel) is not int or self.parallel < 1):
            raise UserError(f"parallel={self.parallel} is not a whole number from 1, or null.")
        parser = OverridesParser.create(config_loader=loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        [jobs] = self.split_arguments(overrides, None)
        asked = question(jobs)
        plan = make_plan(
            asked.jobs(limits.max_aux), lambda job: loader.load_sweep_config(config, job)
        )
        plan.check_options()
        processes = None
        if isinstance(self.launcher, WorkersLauncher):
            processes = self.launcher.processes
        parallel = self.parallel or processes or PARALLEL
        searches = make_searches(asked, plan, policy, self.policy, limits, self.record, parallel)
        show_searches(searches, processes)
        if plan.dry_run:
            return []
        stuck = run_rounds(plan, searches, self._launch)
        problems = searches.show()
        for problem in problems:
            print(f"\n{problem}", file=sys.stderr)
        sweep_ended(stuck, FAILED if problems else 0)
        return []

    def _launch(self, plan: Any) -> None:
        """Train the runs of a round."""
        assert self.launcher is not None
        if isinstance(self.launcher, WorkersLauncher):
            self.launcher.plan = plan
        jobs = [job.overrides for job in plan.left()]
        self.launcher.launch(jobs, initial_job_idx=self._jobs_begun)
        self._jobs_begun += len(jobs)
