"""The study: gains, features, the paper's Tables 3 and 4, and the evaluation that it lacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mtl_bench.analysis.conclusions import Answer, answers
from mtl_bench.analysis.data.evidence import Evidence
from mtl_bench.analysis.data.single_runs import Family, features_of
from mtl_bench.analysis.evaluation.partial_runs import (
    CURVES,
    PILOTS,
    Early,
    from_curves,
    from_pilots,
)
from mtl_bench.analysis.evaluation.scoring import Plan, Score, parts
from mtl_bench.analysis.features.pair_table import Table, make_table
from mtl_bench.analysis.gains.gains import METRICS
from mtl_bench.analysis.gains.uncertainty import ceiling
from mtl_bench.errors import UserError
from mtl_bench.paper import published
from mtl_bench.paper import tables as printed
from mtl_bench.paper.claims import Claim, claims

FEWEST = 5  # gains, and losses: one for each fold
Do = Callable[[str, Callable[[], list[Score]]], list[Score]]


@dataclass(frozen=True)
class Study:
    """What was found.

    Attributes:
        evidence: what it comes from.
        features: by task and name: those of all families, and numbers beside them.
        table: pairs, gains, and the features that predictors look at.
        left_out: columns that some pair has no number for.
        scores: Table 3 (protocol `printed`), then the honest evaluation.
        coefficients: Table 4: means over all fits, by (feature, role).
        ceiling: scores of a perfect predictor, given the noise; {} if it is not known.
        answers: the verdict in words.
        claims: what the paper says, tested.
        early: what is known before runs are over; [] unless asked for.
        refused: why nothing was predicted; scores and what follows from them are empty then.
    """

    evidence: Evidence
    features: Mapping[str, Mapping[str, float]]
    table: Table
    left_out: Sequence[tuple[str, str]]
    scores: Sequence[Score]
    coefficients: Mapping[tuple[str, str], float]
    ceiling: Mapping[str, float]
    answers: Sequence[Answer]
    claims: Sequence[Claim]
    early: Sequence[Early]
    refused: str = ""


def study(
    evidence: Evidence,
    families: Mapping[str, Family],
    plan: Plan,
    *,
    runs: int = printed.RUNS,
    early: bool = False,
    do: Do = lambda _, job: job(),
) -> Study:
    """Return the study of some runs.

    Args:
        evidence: gains and single runs.
        families: of features, by name.
        plan: of the honest evaluation.
        runs: of the printed cross-validation.
        early: whether to look at curves cut short and at pilot runs.
        do: does each part of the evaluation; told its name, it may know the result.

    Where pairs cannot be predicted, `refused` says why; gains are there all the same.

    Raises:
        UserError: the runs have none of the features of the set `all`.
    """
    features = features_of(evidence.singles, families)
    for task, known in evidence.known.items():
        features[task] |= {name: v for name, v in known.items() if name in features[task]}
    gains = {
        (g.main, g.aux): g.gain for g in evidence.gains if g.main in features and g.aux in features
    }
    names = list(dict.fromkeys(name for some in plan.sets.values() for name in some))
    whole = make_table(gains, features, names)
    table = whole.finite()
    if refused := _refused(evidence, table, set(features)):
        effects = answers(evidence.gains, [], {})
        return Study(evidence, features, table, [], [], {}, {}, effects, [], [], refused)
    left = {feature for feature, _ in table.columns}
    plan = replace(plan, sets={name: f for name, f in plan.sets.items() if left & set(f)})
    if "all" not in plan.sets:
        raise UserError(f"{evidence.source}: its runs have none of the features of the set `all`.")
    scores = do("as printed", partial(_table3, evidence, table, plan, runs))
    coefficients = _table4(table.only(plan.sets["all"]), runs)
    for name, job in parts(table, plan):
        scores += do(name, job)
    errors = {(g.main, g.aux): g.error for g in evidence.gains}
    limit = ceiling(table, [errors[pair] for pair in table.pairs()])
    return Study(
        evidence,
        features,
        table,
        [column for column in whole.columns if column not in table.columns],
        scores,
        coefficients,
        limit,
        answers(evidence.gains, scores, limit),
        claims(evidence, table, scores, coefficients),
        _early(evidence, table, plan, families) if early else [],
    )


def _refused(evidence: Evidence, table: Table, trained: set[str]) -> str:
    """Return why nothing can be predicted, or nothing."""
    if not evidence.gains and evidence.sets:
        return "Predicting takes gains from single auxiliaries; these runs have sets of them only."
    if not evidence.gains and evidence.undefined:
        return "Every main task scores 0 alone, so that no relative gain is defined: train longer."
    if not evidence.gains:
        return (
            f"There is no gain of {METRICS[evidence.metric]}: it takes finished runs of two tasks "
            "and of the main task alone, whose labels have that metric."
        )
    alone = sorted({g.aux for g in evidence.gains} - trained)
    helps = int(table.helps().sum())
    if min(helps, len(table) - helps) >= FEWEST:
        return ""
    lacking = (
        f" Features come from single runs; train those of {', '.join(alone)} for more."
        if alone
        else ""
    )
    return (
        f"Telling gains from losses takes at least {FEWEST} of each, of pairs whose tasks both "
        f"have a single run: {len(table)} pairs have, {helps} of them gain.{lacking}"
    )


def _table4(table: Table, runs: int) -> dict[tuple[str, str], float]:
    """Return the coefficients of the paper's predictor: means over all fits, as in Table 4."""
    found = printed.cross_validate(table, runs).coefficients
    return dict(zip(table.columns, found.tolist(), strict=True))


def _table3(evidence: Evidence, table: Table, plan: Plan, runs: int) -> list[Score]:
    """Return Table 3, and beside it what the paper printed if these are its runs."""
    paper = published.table3() if evidence.published else {}
    part = {
        name: table.only(plan.sets[name]) for name in ("all", "data", "curve") if name in plan.sets
    }
    every = part["all"]
    rows = {
        "majority": printed.majority(table),
        "all features": printed.cross_validate(every, runs),
    }
    for name in ("data", "curve"):
        if name in part:
            rows[f"{name} features"] = printed.cross_validate(part[name], runs)
    if "data" in part:
        rows["best data features"] = printed.eliminate(part["data"], runs)
    rows["best combination"] = printed.eliminate(every, runs)
    for name, gains in _other_gains(evidence).items():
        other = replace(every, gain=np.array([gains[pair] for pair in table.pairs()]))
        rows[f"all features ({name})"] = printed.cross_validate(other, runs)
    scores = []
    for name, row in rows.items():
        values = {"accuracy": row.accuracy, "f1": row.f1}
        model = "" if name == "majority" else "logistic"
        score = Score("printed", name, model, row.features, values)
        if name in paper:
            score = replace(score, paper=dict(zip(values, paper[name], strict=True)))
        scores.append(score)
    return scores


def _other_gains(evidence: Evidence) -> dict[str, dict[tuple[str, str], float]]:
    """Return gains that could as well have been predicted: does the result hang on which?"""
    late = {(g.main, g.aux): g.late for g in evidence.gains}
    found = {"late gains": {pair: gain for pair, gain in late.items() if gain is not None}}
    if len(found["late gains"]) < len(late):
        del found["late gains"]
    if evidence.published:
        found["half the steps"] = published.gains("gain_half_percent")
    return found


def _early(
    evidence: Evidence, table: Table, plan: Plan, families: Mapping[str, Family]
) -> list[Early]:
    """Return what is known before the runs are over."""
    curves = {name: families[name] for name in ("slopes", "shift") if name in families}
    found: list[Early] = []
    if curves:
        for percent in CURVES:
            found += from_curves(evidence, table, plan, curves, percent)
    for percent in PILOTS:
        found += from_pilots(evidence.progress, table, percent)
    return found
