"""From the runs of a sweep's folder to recommendations: for `recommend`, searches and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from mtl_bench.analysis.data.frame import StudiedMetric, has_result, studied_metrics, values_frame
from mtl_bench.analysis.recommend.history import History, read_history
from mtl_bench.analysis.recommend.observations import SweepCurves, sweep_curves
from mtl_bench.analysis.recommend.prior import priors
from mtl_bench.analysis.recommend.recommendation import Recommendation, recommend
from mtl_bench.commands.shared.encoder_gain import encoder_gain
from mtl_bench.errors import UserError
from mtl_bench.runs.result_sets import is_result_set, packaged
from mtl_bench.runs.sweep_folder import PUBLISHED, RunStatus, read_sweep, sweep_folder


@dataclass(frozen=True)
class Evidence:
    """What runs of one variant measured.

    Attributes:
        folder: of the sweep, or `published`.
        statuses: of its runs.
        values: of all runs, see `analysis.data.frame`.
        metrics: that gains are of, by task.
        budget: steps per task, of the longest run.
        variant: of the runs.
        problems: what is wrong with records and curves that cannot be read.
        metric: that was asked for; None: each main task's primary one.
    """

    folder: Path
    statuses: Sequence[RunStatus]
    values: pd.DataFrame
    metrics: Mapping[str, StudiedMetric]
    budget: float
    variant: str = ""
    problems: Sequence[str] = ()
    metric: str | None = None

    def curves(self, budget: float | None = None) -> dict[str, SweepCurves]:
        """Return the curves of each main task up to a budget; None: to the longest."""
        return sweep_curves(self.values, self.metrics, budget or self.budget)

    def history(self, main: str) -> History | None:
        """Return the history of the search for a main task, if there was one."""
        return read_history(self.folder, main, self.variant) if self.statuses else None

    def unreadable(self) -> list[tuple[str, ...]]:
        """Return the tasks of finished runs whose curves cannot be read."""
        readable = set(self.values["run"])
        results = [status.run for status in self.statuses if has_result(status)]
        return [run.tasks for run in results if run.folder not in readable]

    def failed(self, main: str) -> list[str]:
        """Return the auxiliaries of a main task whose runs failed, or cannot be read.

        One that has another run, of another seed or before it was extended, is none of them.
        """
        bad = ("failed", "damaged")
        runs = [each.run.tasks for each in self.statuses if each.state in bad] + self.unreadable()
        readable = set(self.values["run"])
        readable_tasks = {each.run.tasks for each in self.statuses if each.run.folder in readable}
        names = {
            "+".join(task for task in run if task != main)
            for run in {*runs} - readable_tasks
            if main in run
        }
        return sorted(names - {""})

    def gains(self) -> dict[tuple[str, str], float]:
        """Return late gains of pairs that are trained to the end, by main task and auxiliary."""
        return late_gains(self.curves())


def evidence(name: str, metric: str | None = None) -> Evidence:
    """Return what the runs of a sweep, or the published runs, measured.

    Raises:
        UserError: there is no such sweep, or its runs differ in more than their tasks.
    """
    if name == PUBLISHED:
        from mtl_bench.paper.published_runs import published_measurements

        measured = published_measurements()
        return Evidence(Path(name), (), measured.values, measured.metrics, measured.budget)
    folder = sweep_folder(name)
    return evidence_of(folder, read_sweep(folder), metric)


def lasting_name(name: str) -> str:
    """Return a name by which a sweep or result set is found from any folder."""
    if name == PUBLISHED or is_result_set(folder := sweep_folder(name)):
        # Not the folder of the cache, which may be cleared.
        return name if name == PUBLISHED or name in packaged() else str(Path(name).absolute())
    return str(folder.absolute())


def evidence_of(folder: Path, statuses: Sequence[RunStatus], metric: str | None = None) -> Evidence:
    """Return what some runs of a sweep measured.

    Raises:
        UserError: they differ in more than their tasks and seeds.
    """
    variants = sorted({status.run.variant for status in statuses})
    if len(variants) > 1:
        raise UserError(
            f"{folder}: has runs of several variants: {', '.join(v or '(none)' for v in variants)}."
            " A recommendation compares runs that differ in their tasks only. Train each in a "
            "sweep of its own (sweep_name=...); `mtl-bench gains` shows all of them."
        )
    metrics = studied_metrics(statuses, metric)
    # Of runs that lack a metric asked for it is known all the same whether they can be read.
    values, problems = values_frame(folder, statuses, metrics=None if metric else metrics)
    budget = max(status.run.budgets[-1] for status in statuses)
    return Evidence(folder, statuses, values, metrics, budget, variants[0], problems, metric)


def late_gains(curves: Mapping[str, SweepCurves]) -> dict[tuple[str, str], float]:
    """Return late gains of pairs that are trained to the end, by main task and auxiliary."""
    return {
        (main, aux): gain
        for main, own in curves.items()
        for aux in own.candidates
        if any(run.reaches(own.budget) for run in own.beside[aux].values())
        and (gain := own.late_gain(aux)) == gain
    }


def check_mains(source: Evidence, curves: Mapping[str, SweepCurves], mains: Sequence[str]) -> None:
    """Raise an error if a main task that is asked for has no curves."""
    for main in mains:
        if main not in curves:
            raise UserError(
                f"{source.folder}: has no gains of '{main}', but of {', '.join(curves)}."
            )


def answers(
    own: Evidence,
    mains: Sequence[str] = (),
    record: Mapping[tuple[str, str], float] | None = None,
) -> list[Recommendation]:
    """Return the answer for each main task.

    Args:
        own: the runs.
        mains: tasks; none: all that were trained alone and beside another.
        record: gains that tell of candidates; those with the main task itself are left out. None:
            that of the search, if there was one, else the gains with other main tasks here.

    Raises:
        UserError: no main task has a gain, or one that is asked for is not there.
    """
    curves = own.curves()
    if not curves:
        text = (
            f"{own.folder}: a recommendation takes a main task alone and beside an auxiliary, "
            "trained at least to the first evaluation."
        )
        raise UserError("\n".join([*own.problems, text]))
    check_mains(own, curves, mains)
    result, problems = [], list[str]()
    for main in mains or curves:
        history = own.history(main)
        of_main = own.curves(history.budget)[main] if history else curves[main]
        names = history.candidates if history else of_main.candidates
        failed = own.failed(main)
        gains, lost = (record, "") if record is not None else _record(own, history)
        prior = priors(gains, main, names)
        try:
            answer = recommend(of_main, own.metrics[main], prior, failed, history)
        except UserError as error:  # the others have their answers
            problems.append(str(error))
            continue
        remark = encoder_gain(own.folder, own.statuses, main, own.metrics[main])
        remarks = [*own.problems, *problems, *filter(None, (lost, remark))]
        result.append(replace(answer, remarks=remarks))
    if not result:
        raise UserError("\n".join(problems))
    return result


def _record(own: Evidence, history: History | None) -> tuple[Mapping[tuple[str, str], float], str]:
    """Return the gains that tell of candidates, and what to say if they are not the search's."""
    if history is None or not history.record:
        return own.gains(), ""
    try:
        return evidence(history.record, own.metric).gains(), ""
    except UserError as error:  # it was moved, or deleted
        return own.gains(), f"The record of the search cannot be read, and is left out: {error}"
