"""The evaluation that the paper lacks: predictors beside their rivals, with tasks held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from sklearn.base import BaseEstimator

from mtl_bench.analysis.data.single_runs import Floats
from mtl_bench.analysis.evaluation import baselines, elimination
from mtl_bench.analysis.evaluation.folds import PROTOCOLS, Folds
from mtl_bench.analysis.evaluation.metrics import METRICS, middle, score_parts
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.predictors.fitting import cross_fit

TESTED = ("accuracy", "auc", "spearman")  # metrics with a p-value

Values = Mapping[str, float]


@dataclass(frozen=True)
class Score:
    """How well something predicts.

    Attributes:
        protocol: what is held out, see `protocols`.
        features: what it knows.
        model: what it does with that.
        columns: number of them.
        values: by metric; means over runs, and over draws where features are random.
        low: lower ends of 95 percent intervals: over resampled main tasks, or over draws.
        high: upper ends.
        margin: [low, high] of the difference to the row's rival, over the same resampled tasks:
            for choices the majority of the main task or of all pairs, whichever is right more
            often, for rankings the mean gain of the auxiliary.
        p: how often features dealt to the wrong tasks score as high, by metric.
        paper: what the paper printed, by metric.
    """

    protocol: str
    features: str
    model: str
    columns: int
    values: Values
    low: Values = field(default_factory=dict)
    high: Values = field(default_factory=dict)
    margin: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    p: Values = field(default_factory=dict)
    paper: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What an evaluation does.

    Attributes:
        sets: names of features, by the name of the set; one is called `all`.
        predictors: by name; `logistic` is the paper's.
        pair_runs: runs of cross-validation over pairs.
        draws: of random features, and of features dealt to the wrong tasks.
        nested: sets of which each fold chooses a subset for itself.
    """

    sets: Mapping[str, Sequence[str]]
    predictors: Mapping[str, BaseEstimator]
    pair_runs: int = 20
    draws: int = 100
    nested: Sequence[str] = ()


Part = tuple[str, Callable[[], list[Score]]]


def parts(table: Table, plan: Plan) -> Iterator[Part]:
    """Yield the parts of an evaluation, each with its name: hours in all if predictors are slow."""
    for protocol, hold_out in PROTOCOLS.items():
        yield from Protocol(protocol, table, hold_out(table, plan.pair_runs), plan).parts()


@dataclass(frozen=True)
class Protocol:
    """An evaluation that holds something out."""

    name: str
    table: Table
    folds: Folds
    plan: Plan

    def parts(self) -> Iterator[Part]:
        """Yield rivals, then each set of features with each predictor."""
        yield f"{self.name}, rivals", self.rivals
        for features, names in self.plan.sets.items():
            table = self.table.only(names)
            for model, predictor in self.plan.predictors.items():
                part = f"{self.name}, {features}, {model}"
                if model == "logistic":
                    yield part, partial(self.tested, features, table)
                else:
                    yield part, partial(self.untested, features, model, table, predictor)
            if features in self.plan.nested:
                yield f"{self.name}, {features}, chosen", partial(self.chosen, features, table)

    def rivals(self) -> list[Score]:
        """Score what needs no features, or has features that mean nothing."""
        rows = [
            self.row("all pairs", "majority", 0, baselines.majority(self.table, self.folds.train)),
            self.row(
                "main task", "majority", 1, baselines.main_record(self.table, self.folds.train)
            ),
            self.row(
                "aux task", "mean gain", 1, baselines.aux_record(self.table, self.folds.train)
            ),
        ]
        if ("size", "aux") in self.table.columns:
            sizes = baselines.aux_size(self.table, self.folds.train)
            rows.append(self.row("aux task", "size", 1, sizes))
        logistic, names = self.plan.predictors["logistic"], baselines.identities(self.table)
        rows.append(self.fitted("both names", "logistic", names, logistic))
        some = self.table.only(self.plan.sets["all"])
        drawn = self.metrics(baselines.random_numbers(some, self.plan.draws))
        rows.append(self.drawn("random numbers", len(some.columns), drawn))
        rows.append(self.row("gains", "oracle", 0, baselines.oracle(self.table, self.folds.train)))
        return rows

    def tested(self, features: str, table: Table) -> list[Score]:
        """Score the paper's predictor, and the same with features dealt to the wrong tasks."""
        true = self.fitted(features, "logistic", table, self.plan.predictors["logistic"])
        wrong = self.metrics(baselines.dealt_wrong(table, self.plan.draws))
        known = [metric for metric in TESTED if math.isfinite(true.values[metric])]
        as_high = {m: int((wrong[:, METRICS.index(m)] >= true.values[m]).sum()) for m in known}
        p = {metric: (1 + count) / (1 + len(wrong)) for metric, count in as_high.items()}
        dealt = self.drawn(f"{features}, dealt wrong", len(table.columns), wrong)
        return [replace(true, p=p), dealt]

    def untested(
        self, features: str, model: str, table: Table, predictor: BaseEstimator
    ) -> list[Score]:
        """Score another predictor."""
        return [self.fitted(features, model, table, predictor)]

    def chosen(self, features: str, table: Table) -> list[Score]:
        """Score the paper's predictor with columns that each fold chooses for itself."""
        scores = elimination.eliminate(table, self.folds.train)
        return [self.row(features, "chosen inside", len(table.columns), scores)]

    def fitted(self, features: str, model: str, table: Table, predictor: BaseEstimator) -> Score:
        """Score a predictor on a table's columns."""
        scores = cross_fit(predictor, table, self.folds.train)
        return self.row(features, model, len(table.columns), scores)

    def row(self, features: str, model: str, columns: int, scores: Floats) -> Score:
        """Score [B, N] what the fits of all folds say."""
        found = score_parts(self.table, self.folds, scores)
        resampled = found.resampled()
        low, high = middle(resampled)
        below, above = (named(end) for end in middle(resampled - self.rival))
        values = found.metrics()[0]
        return Score(
            *(self.name, features, model, columns),
            *(named(values), named(low), named(high), {m: (below[m], above[m]) for m in TESTED}),
        )

    @cached_property
    def rival(self) -> Floats:
        """Return [D, 7] what has to be beaten, over resampled tasks."""
        train = self.folds.train
        main, every, order = (
            score_parts(self.table, self.folds, rival(self.table, train))
            for rival in (baselines.main_record, baselines.majority, baselines.aux_record)
        )
        choice = max((main, every), key=lambda parts: float(parts.metrics()[0, 0]))
        first = METRICS.index("spearman")
        return np.concatenate([choice.resampled()[:, :first], order.resampled()[:, first:]], axis=1)

    def metrics(self, tables: Iterable[Table]) -> Floats:
        """Return [D, 7] the metrics of the paper's predictor on each table."""
        logistic, found = self.plan.predictors["logistic"], []
        for table in tables:
            scores = cross_fit(logistic, table, self.folds.train)
            found.append(score_parts(self.table, self.folds, scores).metrics()[0])
        return np.array(found)

    def drawn(self, features: str, columns: int, metrics: Floats) -> Score:
        """Score features of which there are many draws."""
        low, high = middle(metrics)
        return Score(
            self.name,
            features,
            "logistic",
            columns,
            named(metrics.mean(axis=0)),
            named(low),
            named(high),
        )


def named(metrics: Floats) -> Values:
    """Return [7] metrics by name."""
    return dict(zip(METRICS, metrics.tolist(), strict=True))
