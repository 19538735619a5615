"""How early a gain can be told: curves cut short, and pilot runs of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from mtl_bench.analysis.data.evidence import Evidence, Progress
from mtl_bench.analysis.data.single_runs import Family, SingleRun, features_of
from mtl_bench.analysis.evaluation.folds import PROTOCOLS, Folds
from mtl_bench.analysis.evaluation.metrics import METRICS, middle, score_parts
from mtl_bench.analysis.evaluation.scoring import Plan, Protocol, Score
from mtl_bench.analysis.features.pair_table import Table, make_table

CURVES = (5, 10, 20, 30, 50, 100)  # percent of the single runs
PILOTS = (5, 10, 20, 30, 50, 70)  # percent of single and pair runs


@dataclass(frozen=True)
class Early:
    """What is known after a part of the runs, and how well it predicts the gains at the end.

    Attributes:
        looked_at: `single runs` (their curves are features) or `pilot pairs`.
        percent: of their steps.
        cost: steps in percent of those of all single and pair runs.
        score: how well.
    """

    looked_at: str
    percent: int
    cost: float
    score: Score


def cut(run: SingleRun, percent: float) -> SingleRun:
    """Return the first part of a run; percentages inside it then count from its new end."""
    kept = run.steps <= run.steps[-1] * percent / 100
    return replace(run, steps=run.steps[kept], losses=run.losses[kept])


def from_curves(
    evidence: Evidence, table: Table, plan: Plan, families: Mapping[str, Family], percent: int
) -> list[Early]:
    """Return how the paper's predictor does with curves cut short.

    Only the robust curve features are looked at: those of the data cost no steps.

    Args:
        evidence: the runs.
        table: pairs and gains.
        plan: of the evaluation.
        families: of curve features.
        percent: what is left of the runs.
    """
    features = features_of([cut(run, percent) for run in evidence.singles], families)
    names = [name for family in families.values() for name in family.names()]
    gains = dict(zip(table.pairs(), table.gain.tolist(), strict=True))
    found = make_table(gains, features, names).finite()
    cost = evidence.single_steps * percent / evidence.all_steps
    logistic = plan.predictors["logistic"]
    result = []
    for name in ("pairs", "unseen_main"):
        protocol = Protocol(name, found, PROTOCOLS[name](found, plan.pair_runs), plan)
        score = protocol.fitted("curve so far", "logistic", found, logistic)
        result.append(Early("single runs", percent, cost, score))
    return result


def from_pilots(
    progress: Mapping[tuple[str, str], Progress], table: Table, percent: int
) -> list[Early]:
    """Return how the gain of pilot runs predicts the gain at the end; [] without evaluations.

    Args:
        progress: by run (`a` or `a+b`) and task.
        table: pairs and gains.
        percent: of the schedule that is trained.
    """
    scores = []
    for main, aux in table.pairs():
        single = progress[main, main].at(percent)
        pair = progress["+".join(sorted((main, aux))), main].at(percent)
        scores.append((pair - single) / single if single != 0 else 0.0)
    if not np.isfinite(scores).all():
        return []
    everything = np.ones((1, len(table)), dtype=np.bool_)
    found = score_parts(table, Folds(~everything, everything), np.array([scores]))
    values, (low, high) = found.metrics()[0], middle(found.resampled())
    named = [dict(zip(METRICS, each.tolist(), strict=True)) for each in (values, low, high)]
    score = Score("none", "gain so far", "itself", 1, *named)
    return [Early("pilot pairs", percent, float(percent), score)]
