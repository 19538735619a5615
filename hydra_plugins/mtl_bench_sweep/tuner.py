"""`hydra/sweeper=tune`: options tuned for each task set alike, then gains with other seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from hydra_plugins.mtl_bench_sweep.launcher import WorkersLauncher
from mtl_bench.errors import UserError


class TuneSweeper(BasicSweeper):
    """Trains trials of every task set, and the best of each with the seeds of the command line."""

    def __init__(
        self,
        max_batch_size: int | None,
        params: Any,
        trials: int,
        rungs: Any,
        tuning_seed: int,
        space: Any,
    ) -> None:
        """Take the options: see `sweeps.tuning.TuningLimits`; the first two are of Hydra's own."""
        super().__init__(max_batch_size, params)
        self.trials, self.tuning_seed = trials, tuning_seed
        self.rungs, self.space = OmegaConf.create(list(rungs)), OmegaConf.create(dict(space))
        self._jobs_begun = 0

    def sweep(self, arguments: list[str]) -> Any:
        """Tune, train, and print the gains."""
        from mtl_bench.commands.hydra.question import question
        from mtl_bench.commands.hydra.tuned import (
            SetScores,
            dev_score,
            summary,
            write_summary,
        )
        from mtl_bench.runs.sweep_folder import RunStatus, run_status, write_plan
        from mtl_bench.sweeps.exit_codes import sweep_ended
        from mtl_bench.sweeps.plan import Plan, make_plan
        from mtl_bench.sweeps.tuning import SetTuning, TuningLimits

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        loader, config = self.hydra_context.config_loader, self.config
        space: Any = OmegaConf.to_object(self.space)
        rungs: Any = OmegaConf.to_object(self.rungs)
        limits = TuningLimits(self.trials, rungs, self.tuning_seed, space)
        parser = OverridesParser.create(config_loader=loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        [jobs] = self.split_arguments(overrides, None)
        seeds = sorted({int(each[5:]) for job in jobs for each in job if each.startswith("seed=")})
        seeds = seeds or [0, 1, 2]
        if limits.tuning_seed in seeds:
            raise UserError(
                f"seed={limits.tuning_seed} is that of the trials: a run that was selected tells "
                "too much of itself. Choose other seeds, or another tuning_seed."
            )
        asked = question([[each for each in job if not each.startswith("seed=")] for job in jobs])

        def compose(job: list[str]) -> Any:
            return loader.load_sweep_config(config, job)

        def planned(requests: Sequence[tuple[SetTuning, Sequence[str], int, int]]) -> Plan:
            """Return the plan of runs: task set, overrides, seed and budget of each."""
            return make_plan(
                [
                    [
                        *(o for o in asked.others if not o.startswith("steps_per_task=")),
                        *own,
                        f"main={tuning.main}",
                        f"aux=[{','.join(set(tuning.tasks) - {tuning.main}) or tuning.main}]",
                        f"seed={seed}",
                        f"steps_per_task={budget}",
                        "keep_checkpoint=true",
                        "baselines=false",
                    ]
                    for tuning, own, seed, budget in requests
                ],
                compose,
            )

        def trained(
            requests: Sequence[tuple[SetTuning, Sequence[str], int, int]],
        ) -> list[RunStatus]:
            """Train some runs; return where they are now, in the order of the requests."""
            plans = [planned([each]) for each in requests]  # one plan merges runs that are the same
            every = [job for plan in plans for job in plan.jobs]
            plan = plans[0]
            plan.jobs = list({job.status.run.folder: job for job in every}.values())
            plan.check_options()
            plan.sweep.mkdir(parents=True, exist_ok=True)
            write_plan(plan.sweep, [job.status.run for job in plan.jobs])
            if left := plan.left():
                if isinstance(self.launcher, WorkersLauncher):
                    self.launcher.plan = plan
                assert self.launcher is not None
                self.launcher.launch(
                    [job.overrides for job in left], initial_job_idx=self._jobs_begun
                )
                self._jobs_begun += len(left)
            ends = {
                job.status.run.folder: run_status(plan.sweep, job.status.run) for job in plan.jobs
            }
            return [ends[job.status.run.folder] for job in every]

        tunings = {
            main: [
                SetTuning(main, tuple(sorted({main, *aux})), limits)
                for aux in ((), *((each,) for each in asked.of(main)))
            ]
            for main in asked.mains
        }
        every = [tuning for of_main in tunings.values() for tuning in of_main]
        sets = ", ".join("+".join(tuning.tasks) for tuning in every)
        base = make_plan([[*asked.others, f"main={asked.mains[0]}", "baselines=false"]], compose)
        budget = base.jobs[0].config.steps_per_task
        print(f"{base.sweep}: {limits.trials} trials of each of {sets}; seeds {seeds} of the best")
        if base.dry_run:
            return []
        parallel = getattr(self.launcher, "processes", 1)
        while batch := [
            (tuning, trial)
            for tuning in every
            for trial in tuning.next(max(1, -(-parallel // len(every))))
        ]:
            ends = trained(
                [
                    (
                        tuning,
                        trial.overrides,
                        limits.tuning_seed,
                        max(1, round(budget * limits.rungs[trial.rung])),
                    )
                    for tuning, trial in batch
                ]
            )
            for (tuning, trial), end in zip(batch, ends, strict=True):
                score = None
                if end.state == "finished" and end.record:
                    score = dev_score(end.record, base.sweep / end.run.folder)
                tuning.done(trial, score)
        final = [
            (tuning, own, seed, budget)
            for tuning in every
            for own in ((), tuning.best().overrides)
            for seed in seeds
        ]
        ends = trained(final)
        scores: dict[tuple[tuple[str, ...], str, bool], dict[int, float]] = {}
        for (tuning, own, seed, _), end in zip(final, ends, strict=True):
            if end.state == "finished" and end.record:
                task = end.record.tasks[tuning.main]
                by_seed = scores.setdefault((tuning.tasks, tuning.main, bool(own)), {})
                by_seed[seed] = task.final[task.primary]
        result = {
            main: [
                SetScores(
                    tuning.tasks,
                    tuning.best().overrides,
                    len(tuning.trials),
                    scores.get((tuning.tasks, main, False), {}),
                    scores.get((tuning.tasks, main, True), {}),
                )
                for tuning in of_main
            ]
            for main, of_main in tunings.items()
        }
        records = {end.record.main: end.record for end in ends if end.record}
        for main, of_main in result.items():
            if main in records:
                task = records[main].tasks[main]
                metric = task.metrics[task.primary]
                sign = 1 if metric.higher_is_better else -1
                print(f"\n{summary(main, metric.title, sign, of_main)}")
        write_summary(base.sweep, result)
        sweep_ended(ends)
        return []
