"""The evaluation that the paper lacks: predictors beside baselines, with tasks held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from sklearn.base import BaseEstimator

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.evaluation import baselines
from mtl_bench.analysis.evaluation.folds import HELD_OUT, Folds
from mtl_bench.analysis.evaluation.metrics import (
    METRICS,
    Values,
    accuracy_and_f1,
    by_metric,
    central_interval,
    choice_counts,
    tally,
    task_interval,
)
from mtl_bench.analysis.evaluation.nested_elimination import nested_elimination
from mtl_bench.analysis.evaluation.permutation import ENOUGH, TESTED, is_open, p_values
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.predictors.fitting import cross_fit

DRAWN_RUNS = 20
"""Runs of cross-validation of each draw of random or permuted features, one for slow learners. What
they are compared with is scored on the same runs, so that p is exact."""

TESTED_LEARNERS = ("pairs", "unseen_main")
"""What is held out where learners other than the paper's are tested as well: it takes minutes."""


@dataclass(frozen=True)
class Score:
    """How well something predicts.

    Attributes:
        held_out: a name of `folds.HELD_OUT`.
        features: what the predictor knows.
        model: how it predicts from that.
        columns: number of them.
        values: by metric; means over runs, and over draws where features are random.
        low: lower ends of 95 percent intervals: over main tasks (Student's), or over draws.
        high: upper ends.
        difference: [low, high] of the difference to the baseline over the same resampled tasks:
            for choices the majority of the main task or of all pairs, whichever is right more
            often, for rankings the mean gain of the auxiliary.
        p: how often permuted features score as high, by metric.
        p_corrected: for the number of learners and sets of features tried: `permutation.corrected`.
        monte_carlo: standard error of accuracy and F1 that comes from the number of runs alone.
    """

    held_out: str
    features: str
    model: str
    columns: int
    values: Values
    low: Values = field(default_factory=dict)
    high: Values = field(default_factory=dict)
    difference: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    p: Values = field(default_factory=dict)
    p_corrected: Values = field(default_factory=dict)
    monte_carlo: Values = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationSettings:
    """What an evaluation does.

    Attributes:
        sets: names of features, by the name of the set; one is called `all`.
        predictors: by name; `logistic` is the paper's.
        pair_runs: runs of cross-validation over pairs.
        draws: of random features, and of permutations.
        nested: sets of which each fold chooses a subset for itself.
        runs: runs of the paper's own cross-validation.
    """

    sets: Mapping[str, Sequence[str]]
    predictors: Mapping[str, BaseEstimator]
    pair_runs: int = 20
    draws: int = 100
    nested: Sequence[str] = ()
    runs: int = 100


Scorer = Callable[[], list[Score]]


def scorers(table: Table, settings: EvaluationSettings) -> Iterator[tuple[str, Scorer]]:
    """Yield what computes the scores, with names: hours in all if predictors are slow."""
    for held_out, make_folds in HELD_OUT.items():
        folds = make_folds(table, settings.pair_runs)
        yield from Evaluation(held_out, table, folds, settings).scorers()


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of predictors with one kind of folds."""

    held_out: str
    table: Table
    folds: Folds
    settings: EvaluationSettings

    def scorers(self) -> Iterator[tuple[str, Scorer]]:
        """Yield that of the baselines, then that of each set of features with each predictor."""
        yield f"{self.held_out}, baselines", self.baselines
        for features, names in self.settings.sets.items():
            table = self.table.only(names)
            for model, predictor in self.settings.predictors.items():
                name = f"{self.held_out}, {features}, {model}"
                if model == "logistic":
                    yield name, partial(self.tested, features, table)
                else:
                    yield name, partial(self.learner, features, model, table, predictor)
            if features in self.settings.nested:
                yield f"{self.held_out}, {features}, nested", partial(self.nested, features, table)

    def baselines(self) -> list[Score]:
        """Score what needs no features, or has features without meaning."""
        table, train = self.table, self.folds.train
        rows = [
            self.row("all pairs", "majority", 0, baselines.majority_of_all(table, train)),
            self.row("main task", "majority", 1, baselines.majority_of_main(table, train)),
            self.row("aux task", "mean gain", 1, baselines.mean_gain_of_aux(table, train)),
        ]
        if ("size", "aux") in table.columns:
            rows.append(self.row("aux task", "size", 1, baselines.size_of_aux(table, train)))
        logistic, names = self.settings.predictors["logistic"], baselines.identities(table)
        rows.append(self.fitted("both names", "logistic", names, logistic))
        some = table.only(self.settings.sets["all"])
        draws = self.metrics(baselines.random_numbers(some, self.settings.draws))
        rows.append(self.drawn("random numbers", len(some.columns), draws))
        rows.append(self.row("gains", "oracle", 0, baselines.oracle(table, train)))
        return rows

    def tested(self, features: str, table: Table) -> list[Score]:
        """Score the paper's predictor, and the same with permuted features."""
        true = self.fitted(features, "logistic", table, self.settings.predictors["logistic"])
        permuted = self.metrics(baselines.permuted(table, self.settings.draws))
        p = p_values(self.metrics([table])[0], permuted)
        row = self.drawn(f"{features}, permuted", len(table.columns), permuted)
        return [replace(true, p=p), row]

    def learner(
        self, features: str, model: str, table: Table, predictor: BaseEstimator
    ) -> list[Score]:
        """Score another predictor; permutations end as soon as they tell that p is not small."""
        true = self.fitted(features, model, table, predictor)
        if self.held_out not in TESTED_LEARNERS:
            return [true]
        folds = self.folds.first(1)
        compared = self.score(predictor, table, folds)
        draws: list[Floats] = []
        for each in baselines.permuted(table, self.settings.draws):
            draws.append(self.score(predictor, each, folds))
            if len(draws) % ENOUGH == 0 and not is_open(compared, np.array(draws)):
                break
        return [replace(true, p=p_values(compared, np.array(draws), ENOUGH))]

    def nested(self, features: str, table: Table) -> list[Score]:
        """Score the paper's predictor with columns that each fold chooses for itself."""
        scores = nested_elimination(table, self.folds.train)
        return [self.row(features, "chosen inside", len(table.columns), scores)]

    def fitted(self, features: str, model: str, table: Table, predictor: BaseEstimator) -> Score:
        """Score a predictor on a table's columns."""
        scores = cross_fit(predictor, table, self.folds.train)
        return self.row(features, model, len(table.columns), scores)

    def row(self, features: str, model: str, columns: int, scores: Floats) -> Score:
        """Score the predictions [B, N] of the fits of all folds."""
        counts = tally(self.table, self.folds, scores)
        values, low, high = counts.with_intervals()
        base, base_resampled = self.baseline
        difference, resampled = counts.metrics()[0] - base, counts.resampled() - base_resampled
        below, above = map(by_metric, task_interval(difference, resampled, len(counts.counts)))
        return Score(
            held_out=self.held_out,
            features=features,
            model=model,
            columns=columns,
            values=values,
            low=low,
            high=high,
            difference={metric: (below[metric], above[metric]) for metric in TESTED},
            monte_carlo=monte_carlo(self.table, self.folds, scores),
        )

    @cached_property
    def baseline(self) -> tuple[Floats, Floats]:
        """Return [7] the metrics of what scores are compared with, and [D, 7] over resampled tasks.

        For choices that is a majority, for rankings the mean gain of the auxiliary.
        """
        main, every, order = (
            tally(self.table, self.folds, predict(self.table, self.folds.train))
            for predict in (
                baselines.majority_of_main,
                baselines.majority_of_all,
                baselines.mean_gain_of_aux,
            )
        )
        # With few pairs a main task, the majority of all pairs can be right more often.
        choice = max((main, every), key=lambda counts: float(counts.metrics()[0, 0]))
        first = METRICS.index("spearman")
        return (
            np.concatenate([choice.metrics()[0, :first], order.metrics()[0, first:]]),
            np.concatenate([choice.resampled()[:, :first], order.resampled()[:, first:]], axis=1),
        )

    def metrics(self, tables: Iterable[Table]) -> Floats:
        """Return [D, 7] the metrics of the paper's predictor on each table."""
        logistic, folds = self.settings.predictors["logistic"], self.folds.first(DRAWN_RUNS)
        return np.array([self.score(logistic, table, folds) for table in tables])

    def score(self, predictor: BaseEstimator, table: Table, folds: Folds) -> Floats:
        """Return [7] the metrics of a predictor on a table."""
        scores = cross_fit(predictor, table, folds.train)
        metrics: Floats = tally(self.table, folds, scores).metrics()[0]
        return metrics

    def drawn(self, features: str, columns: int, metrics: Floats) -> Score:
        """Score features of which there are many draws."""
        low, high = central_interval(metrics)
        return Score(
            held_out=self.held_out,
            features=features,
            model="logistic",
            columns=columns,
            values=by_metric(metrics.mean(axis=0)),
            low=by_metric(low),
            high=by_metric(high),
        )


def monte_carlo(table: Table, folds: Folds, scores: Floats) -> Values:
    """Return the standard error of accuracy and F1 over runs of cross-validation; none for one."""
    if folds.runs < 2:
        return {}
    counts = choice_counts((scores > 0) & folds.test, table.helps() > 0, folds.test).sum(axis=2)
    by_run = counts.reshape(folds.runs, -1, 4).sum(axis=1)  # [runs, 4]
    errors = [each.std(ddof=1) / math.sqrt(folds.runs) for each in accuracy_and_f1(by_run)]
    return dict(zip(("accuracy", "f1"), map(float, errors), strict=True))
