"""`hydra/sweeper=tune`: options tuned for each task set alike, then gains with other seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.mtl_bench_sweep.launcher import WorkersLauncher
from mtl_bench.errors import UserError

if TYPE_CHECKING:  # it imports much
    from mtl_bench.config.schema import RunConfig
    from mtl_bench.sweeps.tuning import SetTuning, TuningLimits


OWN = ("steps_per_task", "sweep_name", "keep_checkpoint", "baselines")
"""Keys that the sweeper gives its runs itself."""

Request = tuple["SetTuning", Sequence[str], int, int]
"""A run: task set, overrides, seed and budget."""


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
        self.rungs: Any = OmegaConf.to_object(rungs) if OmegaConf.is_config(rungs) else rungs
        self.space: Any = OmegaConf.to_object(space) if OmegaConf.is_config(space) else space
        self._jobs_begun = 0

    def sweep(self, arguments: list[str]) -> Any:
        """Tune, train, and print the gains."""
        from mtl_bench.commands.hydra.question import question
        from mtl_bench.commands.hydra.tuned import dev_score, gathered, write_summary
        from mtl_bench.runs.sweep_folder import RunStatus, write_plan
        from mtl_bench.sweeps.exit_codes import sweep_ended
        from mtl_bench.sweeps.plan import Plan, make_plan
        from mtl_bench.sweeps.tuning import SetTuning, TuningLimits

        assert self.config is not None
        assert self.hydra_context is not None
        assert self.launcher is not None
        loader, config = self.hydra_context.config_loader, self.config
        limits = TuningLimits(self.trials, self.rungs, self.tuning_seed, self.space)
        parser = OverridesParser.create(config_loader=loader)
        overrides = parser.parse_overrides([*self._parse_config(), *arguments])
        [jobs] = self.split_arguments(overrides, None)
        seeds = _seeds(jobs, limits)
        asked = question([[each for each in job if not _is_seed(each)] for job in jobs])

        def compose(job: list[str]) -> Any:
            return loader.load_sweep_config(config, job)

        def planned(requests: Sequence[Request], folder: Sequence[str]) -> Plan:
            """Return the plan of runs."""
            return make_plan(
                [
                    [
                        *(o for o in asked.others if o.partition("=")[0] not in OWN),
                        *own,
                        f"main={tuning.main}",
                        f"aux=[{','.join(set(tuning.tasks) - {tuning.main}) or tuning.main}]",
                        f"seed={seed}",
                        f"steps_per_task={budget}",
                        "keep_checkpoint=true",
                        "baselines=false",
                        *(folder or [f"sweep_name={asked_for.sweep_name}"]),
                    ]
                    for tuning, own, seed, budget in requests
                ],
                compose,
            )

        def trained(
            requests: Sequence[Request], folder: Sequence[str] = ()
        ) -> tuple[Path, list[RunStatus]]:
            """Train some runs; return their folder, and where they are now, in that order."""
            # One plan would merge runs that are the same, such as two equal trials.
            plans = [planned([each], folder) for each in requests]
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
            ends = {job.status.run.folder: job.status_in(plan.sweep) for job in plan.jobs}
            return plan.sweep, [ends[job.status.run.folder] for job in every]

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
        asked_for = base.jobs[0].config
        budget = asked_for.steps_per_task
        _check(asked_for, compose([*asked.others, f"main={asked.mains[0]}"]), limits)
        print(f"{base.sweep}: {limits.trials} trials of each of {sets}; seeds {seeds} of the best")
        if base.dry_run:
            return []
        parallel = getattr(self.launcher, "processes", 1)
        trial_ends: dict[str, RunStatus] = {}
        while batch := [
            (tuning, trial)
            for tuning in every
            for trial in tuning.next(max(1, -(-parallel // len(every))))
        ]:
            sweep, ends = trained(
                [
                    (
                        tuning,
                        trial.overrides,
                        limits.tuning_seed,
                        max(1, round(budget * limits.rungs[trial.rung])),
                    )
                    for tuning, trial in batch
                ],
                # Apart, so that no gain counts the seed that selected.
                [f"sweep_name={asked_for.sweep_name}/trials"],
            )
            trial_ends |= {f"trials/{end.run.folder}": end for end in ends}
            for (tuning, trial), end in zip(batch, ends, strict=True):
                score = None
                if end.state == "finished" and end.record:
                    score = dev_score(
                        end.record, sweep / end.run.folder, tuning.main, end.run.budgets[-1]
                    )
                tuning.done(trial, score)
        for tuning in every:
            if tuning.best() is None:
                print(
                    f"no trial of {'+'.join(tuning.tasks)} could be trained to the end: it has no "
                    "tuned runs; the records of its trials say why"
                )
        final = [
            (tuning, is_tuned, trial.overrides if trial else (), seed)
            for tuning in every
            for is_tuned, trial in ((False, None), (True, tuning.best()))
            for seed in seeds
            if trial or not is_tuned
        ]
        _, ends = trained([(tuning, own, seed, budget) for tuning, _, own, seed in final])
        measured = zip(final, ends, strict=True)
        result = gathered(
            tunings,
            [
                ((tuning.main, tuning.tasks, is_tuned, seed), end.record)
                for (tuning, is_tuned, _, seed), end in measured
                if end.state == "finished" and end.record
            ],
        )
        write_summary(base.sweep, result)
        sweep_ended([*trial_ends.values(), *ends])
        return []


def _is_seed(override: str) -> bool:
    return override.lstrip("+").startswith("seed=")


def _seeds(jobs: Sequence[Sequence[str]], limits: TuningLimits) -> list[int]:
    """Return the seeds that a command line names; three if it names none.

    Raises:
        UserError: one is that of the trials.
    """
    # Whole numbers: they were checked with the rest of the command line.
    seeds = sorted({int(each.lstrip("+")[5:]) for job in jobs for each in job if _is_seed(each)})
    if limits.tuning_seed in seeds:
        raise UserError(
            f"seed={limits.tuning_seed} is that of the trials: a run that was selected tells "
            "too much of itself. Choose other seeds, or another tuning_seed."
        )
    return seeds or [0, 1, 2]


def _check(asked_for: RunConfig, cfg: Any, limits: TuningLimits) -> None:
    """Check that runs of a configuration can be selected and extended.

    Args:
        asked_for: the configuration.
        cfg: the same, as Hydra composed it.
        limits: of the tuning.

    Raises:
        UserError: they cannot, or an option that is to be tuned is none.
    """
    if asked_for.data.eval_split == asked_for.data.final_split:
        raise UserError(
            f"data.eval_split and data.final_split are both {asked_for.data.eval_split}: what "
            "selects options may not be what reports them. Type `data.eval_split=dev`."
        )
    if asked_for.trainer.max_steps is not None:
        raise UserError(
            "trainer.max_steps caps all runs, and rungs are shares of a budget per task. Type "
            "`steps_per_task` in its place."
        )
    first = max(1, round(asked_for.steps_per_task * limits.rungs[0]))
    if first < (asked_for.trainer.val_check_interval or 1):
        raise UserError(
            f"the first rung is {first} steps per task, but trainer.val_check_interval is "
            f"{asked_for.trainer.val_check_interval}: nothing would be evaluated that could "
            f"select. Type `trainer.val_check_interval={first}`, or a larger `steps_per_task`."
        )
    for key in limits.space:
        parent, _, leaf = key.rpartition(".")
        node = OmegaConf.select(cfg, parent) if parent else cfg
        # The value may be null.
        if key[0] != "+" and not (isinstance(node, DictConfig) and leaf in node):
            weighted = " Type `sampler=weighted`." if key.startswith("sampler.weights") else ""
            raise UserError(f"space names {key}, which the configuration has not.{weighted}")
