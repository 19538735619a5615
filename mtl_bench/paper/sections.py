"""The paper's sections of a study: its Tables 3, 4 and 1 on the runs at hand, and its claims."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pandas as pd

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.section import DotChart, Section, SectionTable
from mtl_bench.analysis.study import Compute, Study
from mtl_bench.paper import published
from mtl_bench.paper.claims import Claim, magnitude_claim, score_claims, task_claims
from mtl_bench.paper.feature_claims import feature_claims
from mtl_bench.paper.published_runs import F1
from mtl_bench.paper.tables import Table3Row, cross_validate, table3
from mtl_bench.runs.sweep_folder import PUBLISHED

TEXT = (
    "Logistic regression over the features of the two tasks, {runs} runs of five folds of pairs. "
    "Pairs share their main tasks, so a model can score by recognising those."
)


def paper_sections(
    study: Study,
    stand_ins: Mapping[str, str],
    compute: Compute = lambda _, function: function(),
) -> list[Section]:
    """Return the sections that compare a study with the paper.

    Args:
        study: of any runs.
        stand_ins: the paper's name of each task that stands in for one of the paper's.
        compute: called with what takes long and its name.
    """
    names = {task: stand_ins.get(task, task) for task in study.measurements.metrics}
    published_runs = study.measurements.source == PUBLISHED
    # The published runs have the statistics that the paper printed.
    statistics = None if published_runs else _statistics_table(study, names)
    if study.no_prediction:
        tables = [statistics] if statistics else []
        text = "Statistics of the tasks beside those of the paper."
        return [Section("paper", "Beside the paper", text, tables)] if tables else []
    runs = study.settings.runs
    # The paper predicted gains of final evaluations.
    final = {(gain.main, gain.aux): gain.gain_percent for gain in study.measurements.gains}
    table = replace(study.table, gain=np.array([final[pair] for pair in study.table.pairs()]))
    rows: dict[str, Table3Row] = compute(
        "Table 3", partial(table3, table, study.settings.sets, runs, _other_gains(study))
    )
    every = table.only(study.settings.sets["all"])
    coefficients = dict(
        zip(every.columns, cross_validate(every, runs).coefficients.tolist(), strict=True)
    )
    claims = [*score_claims(study.scores, rows), magnitude_claim(table)]
    claims += feature_claims(table, coefficients)
    # What stands in for a task of the paper tells nothing of that task.
    gains = {
        (gain.main, gain.aux): gain
        for gain in study.measurements.gains
        if not {gain.main, gain.aux} & stand_ins.keys()
    }
    if {main for main, _ in gains} & published.table1().keys():
        claims = [*task_claims(gains), *claims]
    tables = [
        _table3_table(rows, compared=published_runs),
        _coefficients_table(coefficients, compared=published_runs),
        _claims_table(claims, published_runs),
        *([statistics] if statistics else []),
    ]
    return [Section("paper", "Beside the paper", TEXT.format(runs=runs), tables)]


def _other_gains(study: Study) -> dict[str, Floats]:
    """Return gains that could as well have been predicted: does the result depend on which?"""
    pairs = study.table.pairs()
    late = {(gain.main, gain.aux): gain.late_percent for gain in study.measurements.gains}
    others = {}
    if all(late[pair] is not None for pair in pairs):
        others["late gains"] = np.array([late[pair] for pair in pairs], dtype=np.float64)
    if study.measurements.source == PUBLISHED:
        half = published.gains("gain_half_percent")
        others["half the steps"] = np.array([half[pair] for pair in pairs])
    return others


def _table3_table(rows: Mapping[str, Table3Row], compared: bool) -> SectionTable:
    frame = pd.DataFrame(
        [
            {"features": name, "columns": row.columns, "accuracy": row.accuracy, "f1": row.f1}
            for name, row in rows.items()
        ]
    )
    shown = ["features", "columns", "accuracy", "f1"]
    if compared:
        printed = published.table3().reindex(frame["features"]).reset_index(drop=True)
        for metric in ("accuracy", "f1"):
            frame[f"paper_{metric}"] = printed[metric]
            frame[f"difference_{metric}"] = frame[metric] - printed[metric]
        shown += ["paper_accuracy", "paper_f1"]
    return SectionTable(
        name="table3",
        title="As the paper evaluated (Table 3)",
        frame=frame,
        note="F1 is that of gains.",
        decimals={str(name): 3 for name in frame if name not in ("features", "columns")},
        shown=shown,
    )


def _coefficients_table(
    coefficients: Mapping[tuple[str, str], float], compared: bool
) -> SectionTable:
    frame = pd.DataFrame(
        [
            {"feature": feature, "role": role, "coefficient": value}
            for (feature, role), value in coefficients.items()
        ]
    ).sort_values("coefficient", key=np.abs, ascending=False, ignore_index=True, kind="stable")
    if compared:
        columns = zip(frame["feature"], frame["role"], strict=True)
        frame["paper"] = [published.table4()[column] for column in columns]
        frame["difference"] = frame["coefficient"] - frame["paper"]
    return SectionTable(
        name="coefficients",
        title="Its largest coefficients (Table 4)",
        frame=frame,
        decimals=dict.fromkeys(("coefficient", "paper", "difference"), 3),
        shown=("feature", "role", "coefficient"),
        rows=12,
        chart=DotChart(
            value="coefficient",
            reference="paper",
            axis="mean coefficient of logistic regression (above 0: speaks for a gain)",
            title="Largest coefficients",
        ),
    )


def _claims_table(claims: list[Claim], published_runs: bool) -> SectionTable:
    """Return the claims; of the published runs they were made, and are replicated, not tested."""
    note = (
        "The sentences were written after looking at these runs: what holds is replicated, not "
        "tested, and a p-value says how large an effect is, not whether it was found by chance."
    )
    return SectionTable(
        name="claims",
        title=f"What the paper says, {'replicated' if published_runs else 'tested'} on these runs",
        note=note if published_runs else "",
        frame=pd.DataFrame([asdict(claim) for claim in claims]),
        shown=("result", "claim"),
    )


def _statistics_table(study: Study, names: Mapping[str, str]) -> SectionTable | None:
    """Return Table 1 with the paper's numbers beside ours, of the paper's tasks."""
    paper, alone = published.table1(), study.measurements.scores_alone()
    rows = []
    for run in {run.task: run for run in study.measurements.single_runs()}.values():
        printed = paper.get(names.get(run.task, run.task))
        if printed is None:
            continue
        ours = dict(run.statistics)
        if study.measurements.metrics[run.task].name == F1.name:
            ours[F1.name] = 100 * alone.get(run.task, math.nan)
        for statistic, decimals in published.DECIMALS.items():
            value = ours.get(statistic, math.nan)
            text = [
                "" if math.isnan(v) else f"{v:,.{decimals}f}" for v in (value, printed[statistic])
            ]
            rows.append({"task": run.task, "statistic": statistic, "text": " / ".join(text)})
    if not rows:
        return None
    frame = pd.DataFrame(rows).pivot(index="task", columns="statistic", values="text")
    return SectionTable(
        name="table1",
        title="Statistics of the tasks, here / in the paper (Table 1)",
        frame=frame[list(published.DECIMALS)].reset_index(),
    )
