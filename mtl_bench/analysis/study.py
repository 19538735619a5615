"""The study of any finished runs: gains, features, and how well features predict gains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from mtl_bench.analysis.conclusions import Conclusion, conclusions
from mtl_bench.analysis.data.single_runs import Family, features_of
from mtl_bench.analysis.evaluation.ceiling import ceiling
from mtl_bench.analysis.evaluation.partial_runs import EarlyScore, early_scores
from mtl_bench.analysis.evaluation.permutation import corrected
from mtl_bench.analysis.evaluation.scoring import EvaluationSettings, Score, scorers
from mtl_bench.analysis.features.pair_table import Table, make_table
from mtl_bench.analysis.measurements import Measurements
from mtl_bench.errors import UserError

FEWEST = 5  # gains, and losses: one for each fold
Compute = Callable[[str, Callable[[], Any]], Any]
"""Computes something that has a name, or knows the result."""


ENOUGH_RUNS, ENOUGH_DRAWS = 200, 500
"""Of cross-validation and of permutations: fewer are rough."""

MOST_GAINS = 2500
"""Of a study that evaluates predictors: 50 tasks and all their pairs."""


@dataclass(frozen=True)
class Study:
    """The results of a study.

    Attributes:
        measurements: what it comes from.
        settings: of the evaluation.
        features: by task and name: those of all families, and numbers beside them.
        table: pairs, gains (their labels, see `Gain`), and the features that predictors look at.
        left_out: columns that are not finite for some pair.
        scores: of predictors and baselines.
        ceiling: scores of a perfect predictor, given the noise; {} if it is not known.
        conclusions: in words.
        early: scores from parts of the runs; [] unless asked for.
        no_prediction: why nothing was predicted; scores and what follows from them are empty then.
    """

    measurements: Measurements
    settings: EvaluationSettings
    features: Mapping[str, Mapping[str, float]]
    table: Table
    left_out: Sequence[tuple[str, str]] = ()
    scores: Sequence[Score] = ()
    ceiling: Mapping[str, float] = field(default_factory=dict)
    conclusions: Sequence[Conclusion] = ()
    early: Sequence[EarlyScore] = ()
    no_prediction: str = ""

    @property
    def rough(self) -> str:
        """Why the scores are rough, as a sentence; empty if they are not."""
        runs, draws = self.settings.pair_runs, self.settings.draws
        if not self.scores or (runs >= ENOUGH_RUNS and draws >= ENOUGH_DRAWS):
            return ""
        return (
            f"These scores are rough: {runs} runs of cross-validation and {draws} permutations; "
            f"study=full has {ENOUGH_RUNS} and {ENOUGH_DRAWS} or more."
        )


def study(
    measurements: Measurements,
    families: Mapping[str, Family],
    settings: EvaluationSettings,
    *,
    early: bool = False,
    compute: Compute = lambda _, function: function(),
) -> Study:
    """Return the study of some runs.

    Args:
        measurements: gains and single runs.
        families: of features, by name.
        settings: of the evaluation.
        early: whether to score shortened curves and pilot runs.
        compute: called with each part of the evaluation and its name.

    Where pairs cannot be predicted, `no_prediction` says why; gains are there all the same.

    Raises:
        UserError: the runs have none of the features of the set `all`.
    """
    if len(measurements.gains) > MOST_GAINS:
        return Study(
            measurements,
            settings,
            {},
            make_table({}, {}, []),
            conclusions=conclusions(measurements.gains, [], {}),
            no_prediction=(
                f"{len(measurements.gains):,} gains are more than the {MOST_GAINS:,} on which "
                "predictors are evaluated in reasonable time."
            ),
        )
    features = features_of(measurements.single_runs(), families)
    # Only features that a family computes as well: sets keep their columns.
    for task, released in measurements.released_features.items():
        features[task] |= {name: v for name, v in released.items() if name in features[task]}
    gains = {
        (gain.main, gain.aux): gain.label
        for gain in measurements.gains
        if gain.main in features and gain.aux in features
    }
    names = list(dict.fromkeys(name for some in settings.sets.values() for name in some))
    whole = make_table(gains, features, names)
    table = whole.finite()
    if reason := _why_no_prediction(measurements, table, set(features)):
        effects = conclusions(measurements.gains, [], {})
        return Study(
            measurements, settings, features, table, conclusions=effects, no_prediction=reason
        )
    # A set whose columns were all left out cannot be evaluated.
    usable = {feature for feature, _ in table.columns}
    sets = {name: some for name, some in settings.sets.items() if usable & set(some)}
    if "all" not in sets:
        raise UserError(
            f"{measurements.source}: its runs have none of the features of the set `all`."
        )
    settings = replace(settings, sets=sets)
    scores: list[Score] = []
    for name, scorer in scorers(table, settings):
        scores += compute(name, scorer)
    tests = corrected([(score.held_out, score.p) for score in scores])
    scores = [replace(score, p_corrected=p) for score, p in zip(scores, tests, strict=True)]
    gain_of = {(gain.main, gain.aux): gain for gain in measurements.gains}
    limit = ceiling(table, [gain_of[pair] for pair in table.pairs()])
    return Study(
        measurements=measurements,
        settings=settings,
        features=features,
        table=table,
        left_out=[column for column in whole.columns if column not in table.columns],
        scores=scores,
        ceiling=limit,
        conclusions=conclusions(measurements.gains, scores, limit),
        early=early_scores(measurements, table, settings, families) if early else [],
    )


def _why_no_prediction(measurements: Measurements, table: Table, tasks: set[str]) -> str:
    """Return why nothing can be predicted, or nothing."""
    if not measurements.gains and measurements.sets:
        return "Predicting takes gains from single auxiliaries; these runs have sets of them only."
    if not measurements.gains and measurements.undefined:
        return "Every main task scores 0 alone, so that no relative gain is defined: train longer."
    if not measurements.gains:
        return (
            f"There is no gain of {measurements.metric_title}: it takes finished runs of two tasks "
            "and of the main task alone, trained to one budget, whose tasks have that metric."
        )
    sets = {frozenset(pair) for pair in table.pairs()}
    if len(sets) > 1 and all(one & other for one, other in combinations(sets, 2)):
        return (
            "All pairs share a task: where the tasks of one are held out, nothing is left to learn "
            "from."
        )
    absent = sorted({gain.aux for gain in measurements.gains} - tasks)
    gaining = int(table.helps().sum())
    if min(gaining, len(table) - gaining) >= FEWEST:
        return ""
    lacking = (
        f" Features come from single runs; train those of {', '.join(absent)} for more."
        if absent
        else ""
    )
    return (
        f"Telling gains from losses takes at least {FEWEST} of each, of pairs whose tasks both "
        f"have a single run: {len(table)} pairs have, {gaining} of them gain.{lacking}"
    )
