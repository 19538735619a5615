"""How early a gain can be predicted: from shortened curves, and from pilot runs of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtl_bench.analysis.data.single_runs import Family, SingleRun, features_of
from mtl_bench.analysis.evaluation.folds import HELD_OUT, Folds
from mtl_bench.analysis.evaluation.metrics import tally
from mtl_bench.analysis.evaluation.scoring import Evaluation, EvaluationSettings, Score
from mtl_bench.analysis.features.pair_table import Table, make_table
from mtl_bench.analysis.measurements import Measurements
from mtl_bench.analysis.recommend.observations import sweep_curves

CURVES = (5, 10, 20, 30, 50, 100)  # percent of the single runs
PILOTS = (5, 10, 20, 30, 50, 70)  # percent of single and pair runs
CURVE_FAMILIES = ("slopes", "shift")  # features of the data cost no steps


@dataclass(frozen=True)
class EarlyScore:
    """How well a part of the runs predicts the gains at their end.

    Attributes:
        runs: `single runs` (their curves are features) or `pilot pairs`.
        percent: of their budget.
        cost: steps in percent of those of all single and pair runs.
        learning_cost: steps of the finished runs that the prediction was learned from, likewise.
        score: of the predictions.
    """

    runs: str
    percent: int
    cost: float
    learning_cost: float
    score: Score


def early_scores(
    measurements: Measurements,
    table: Table,
    settings: EvaluationSettings,
    families: Mapping[str, Family],
) -> list[EarlyScore]:
    """Return how early gains can be predicted, from curves and from pilot runs."""
    curves = {name: families[name] for name in CURVE_FAMILIES if name in families}
    scores: list[EarlyScore] = []
    if curves:
        for percent in CURVES:
            scores += from_curves(measurements, table, settings, curves, percent)
    for percent in PILOTS:
        scores += from_pilots(measurements, table, percent)
    return scores


def shortened(run: SingleRun, percent: float) -> SingleRun:
    """Return the first part of a run; percentages inside it then count from its new end."""
    beginning = run.steps <= run.steps.max(initial=0) * percent / 100
    return replace(run, steps=run.steps[beginning], losses=run.losses[beginning])


def from_curves(
    measurements: Measurements,
    table: Table,
    settings: EvaluationSettings,
    families: Mapping[str, Family],
    percent: int,
) -> list[EarlyScore]:
    """Return the scores of the paper's predictor with shortened curves.

    Args:
        measurements: the runs.
        table: pairs and gains.
        settings: of the evaluation.
        families: of curve features.
        percent: what is left of the runs.
    """
    features = features_of([shortened(r, percent) for r in measurements.single_runs()], families)
    names = [name for family in families.values() for name in family.names()]
    gains = dict(zip(table.pairs(), table.gain.tolist(), strict=True))
    early = make_table(gains, features, names).finite()
    single_steps, all_steps = measurements.steps()
    result = []
    for held_out in ("pairs", "unseen_main"):
        folds = HELD_OUT[held_out](early, settings.pair_runs)
        evaluation = Evaluation(held_out, early, folds, settings)
        score = evaluation.fitted(
            "curve so far", "logistic", early, settings.predictors["logistic"]
        )
        cost = single_steps * percent / all_steps
        learning = 100 * learning_share(early, folds)
        result.append(EarlyScore("single runs", percent, cost, learning, score))
    return result


def from_pilots(measurements: Measurements, table: Table, percent: int) -> list[EarlyScore]:
    """Return how the gain of pilot runs predicts the gain at the end; [] without evaluations.

    Pilot runs are those of the first seed, gains at the end those of the others; with one seed
    both are of the same runs.

    Args:
        measurements: the runs.
        table: pairs and gains.
        percent: of the budget that is trained.
    """
    predictions = pilot_gains(measurements, table.pairs(), percent)
    ends = {(gain.main, gain.aux): gain.label for gain in measurements.other_seeds.gains}
    table = replace(table, gain=np.array([ends.get(pair, np.nan) for pair in table.pairs()]))
    if not np.isfinite([*predictions, *table.gain]).all():
        return []
    # Nothing is learned from other pairs, so that nothing has to be held out.
    everything = np.ones((1, len(table)), dtype=np.bool_)
    counts = tally(table, Folds(~everything, everything), np.array([predictions]))
    score = Score("none", "gain so far", "itself", 1, *counts.with_intervals())
    return [EarlyScore("pilot pairs", percent, float(percent), 0.0, score)]


def pilot_gains(
    measurements: Measurements, pairs: Sequence[tuple[str, str]], percent: int
) -> list[float]:
    """Return the gains at some percentage of the budget, of the first seed (`SweepCurves`).

    They are nan before the first evaluation, and 0 where the main task alone scores too little.
    """
    curves = sweep_curves(measurements.values, measurements.metrics, measurements.budget)
    return [
        curves[main].first_gain(aux, percent / 100) if main in curves else np.nan
        for main, aux in pairs
    ]


def learning_share(table: Table, folds: Folds) -> float:
    """Return the steps of the runs that fits learned from, as a share of all; mean over folds."""
    pairs = table.pairs()
    shares = []
    for rows in (*folds.train, np.ones(len(pairs), dtype=np.bool_)):
        sets = {frozenset(pair) for pair, seen in zip(pairs, rows.tolist(), strict=True) if seen}
        alone = {task for each in sets for task in each}
        shares.append(2 * len(sets) + len(alone))
    return float(np.mean(shares[:-1])) / shares[-1]
