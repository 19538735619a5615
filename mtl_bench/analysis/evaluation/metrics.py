"""How good predictions are: as a choice between gain and loss, and as a ranking of auxiliaries.

A predictor gives every pair a score; above 0 it predicts a gain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtl_bench.analysis.arrays import Bools, Floats
from mtl_bench.analysis.evaluation.folds import Folds
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.ranks import correlation, rank_correlations
from mtl_bench.analysis.student import quantile

METRICS = ("accuracy", "f1", "auc", "spearman", "kendall", "top_gain", "regret")
LEAST = np.array([0, 0, 0, -1, -1, -np.inf, 0])
MOST = np.array([1, 1, 1, 1, 1, np.inf, np.inf])
"""What the METRICS can be: intervals end there."""
DRAWS = 1000

Values = Mapping[str, float]


def by_metric(metrics: Floats) -> Values:
    """Return [7] metrics by name."""
    return dict(zip(METRICS, metrics.tolist(), strict=True))


def choice_counts(predicted: Bools, truth: Bools, test: Bools) -> Floats:
    """Return [B, 4, N] for each pair tested: 1, right, true positive, predicted plus true gains.

    Args:
        predicted: [B, N] whether a gain is predicted.
        truth: [N] whether there is one.
        test: [B, N] rows that each fit is tested on.
    """
    right, hits = predicted == truth, predicted & truth
    either = predicted.astype(np.float64) + truth
    counts: Floats = np.stack([test, test & right, test & hits, test * either], axis=1) * 1.0
    return counts


def accuracy_and_f1(counts: Floats) -> tuple[Floats, Floats]:
    """Return accuracy and F1 (of gains) from counts [..., 4]; F1 is 0 where there are no gains."""
    pairs, right, hits, either = np.moveaxis(counts, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return right / pairs, np.where(either > 0, 2 * hits / np.where(either > 0, either, 1), 0)


@dataclass(frozen=True)
class Tally:
    """What the metrics are made of, by main task, so that tasks can be resampled.

    Attributes:
        counts: [M, 4] see `choice_counts`.
        wins: [M, M] by main task of the gain and of the loss: how often the gain scores higher
            (ties count half).
        contests: [M, M] how many such comparisons there are.
        ranking: [M, 4] Spearman, Kendall, gain of the top pick, regret.
    """

    counts: Floats
    wins: Floats
    contests: Floats
    ranking: Floats

    def metrics(self, weights: Floats | None = None) -> Floats:
        """Return [D, 7] the METRICS; nan where there is nothing to compare.

        Args:
            weights: [D, M] of the main tasks; by default 1 each.
        """
        w = np.ones((1, len(self.counts))) if weights is None else weights
        accuracy, f1 = accuracy_and_f1(w @ self.counts)
        wins, contests = (_weighted(w, of_mains) for of_mains in (self.wins, self.contests))
        ranked = np.isfinite(self.ranking[:, 0])
        with np.errstate(invalid="ignore", divide="ignore"):
            ranking = (w[:, ranked] @ self.ranking[ranked]) / w[:, ranked].sum(1, keepdims=True)
            result: Floats = np.column_stack([accuracy, f1, wins / contests, ranking])
        return result

    def resampled(self, draws: int = DRAWS) -> Floats:
        """Return [D, 7] the metrics when main tasks are drawn anew, with replacement."""
        tasks = len(self.counts)
        # Pairs share main tasks, so that tasks are drawn and not pairs; every row of a table is
        # scored on the same draws, so that differences are paired.
        samples = np.random.default_rng(0).integers(tasks, size=(draws, tasks))
        weights = np.array(
            [np.bincount(each, minlength=tasks) for each in samples], dtype=np.float64
        )
        return self.metrics(weights)

    def with_intervals(self) -> tuple[Values, Values, Values]:
        """Return the metrics, and the lower and the upper ends of their intervals."""
        values = self.metrics()[0]
        ends = task_interval(values, self.resampled(), len(self.counts))
        low, high = np.clip(ends, LEAST, MOST)
        return by_metric(values), by_metric(low), by_metric(high)


def _weighted(weights: Floats, of_mains: Floats) -> Floats:
    """Return [D] sums of [M, M], each main task counted as often as [D, M] weights say.

    A task that is drawn twice is there twice, and is not compared with itself across the two.
    """
    own = of_mains.diagonal()
    result: Floats = ((weights @ of_mains) * weights).sum(axis=1) - (weights**2 - weights) @ own
    return result


def task_interval(values: Floats, resampled: Floats, tasks: int) -> Floats:
    """Return [2, F] the ends of 95 percent intervals of metrics over main tasks.

    They are Student's, with the standard deviation of the resampled metrics, corrected for bias.
    The central 95 percent of the resampled ones would cover 90 percent for ten tasks, 85 for six.

    Args:
        values: [F] metrics, or differences of them.
        resampled: [D, F] the same with main tasks drawn anew; nan draws are left out.
        tasks: number of main tasks.
    """
    if tasks < 2:
        return np.full((2, len(values)), np.nan)
    columns = (column[np.isfinite(column)] for column in resampled.T)
    deviations = np.array([column.std() if len(column) else np.nan for column in columns])
    width = quantile(0.975, tasks - 1) * np.sqrt(tasks / (tasks - 1)) * deviations
    return np.array([values - width, values + width])


def central_interval(draws: Floats) -> Floats:
    """Return [2, F] the ends of the central 95 percent of [D, F] draws; nan draws are left out."""
    columns = (column[np.isfinite(column)] for column in draws.T)
    ends = [np.quantile(c, [0.025, 0.975]) if len(c) else np.full(2, np.nan) for c in columns]
    return np.array(ends).T


def tally(table: Table, folds: Folds, scores: Floats) -> Tally:
    """Return what the metrics of some predictions are made of, means over runs.

    Only scores of one fit are compared with each other. Those of different fits differ by what was
    held out: without the gains of a task the mean of the others is lower, so that pooled scores
    order tasks backwards (an AUC of 0.1 for a constant predictor). So the AUC compares pairs of one
    fold, and rankings are scored where one fold holds all pairs of a main task.

    Args:
        table: N pairs and their gains.
        folds: B of them.
        scores: [B, N] by the fit of each fold; those of training rows are not looked at.
    """
    names = table.tasks()
    main = np.array([names.index(task) for task in table.main])
    of_main = (main == np.arange(len(names))[:, None]).astype(np.float64)  # [M, N]
    truth = table.helps() > 0
    counts = choice_counts((scores > 0) & folds.test, truth, folds.test).sum(axis=0)
    wins, contests = (np.zeros((len(table), len(table))) for _ in range(2))
    for test, score in zip(folds.test, scores, strict=True):
        cells = np.ix_(test & truth, test & ~truth)
        # 1 for a win, a half for a tie.
        wins[cells] += np.sign(score[cells[0]] - score[cells[1]]) / 2 + 0.5
        contests[cells] += 1
    ranking = np.full((len(names), 4), np.nan)
    for row, own in enumerate(of_main > 0):
        # Scores of different fits are not compared, so that one fold has to hold all pairs.
        whole = (folds.test & own).sum(axis=1) == own.sum()
        if own.sum() > 1 and whole.any():
            ranking[row] = _rank(table.gain[own], scores[np.ix_(whole, own)])
    runs = folds.runs
    return Tally(
        of_main @ counts.T / runs,
        of_main @ wins @ of_main.T / runs,
        of_main @ contests @ of_main.T / runs,
        ranking,
    )


def _rank(gains: Floats, scores: Floats) -> Floats:
    """Return [4] Spearman, Kendall (tau-b), gain of the top pick and regret, means over [R, n].

    Scores that tie leave the choice to chance; scores that all tie correlate with nothing: 0.
    """
    spearman = rank_correlations(scores, gains)
    above = np.sign(scores[:, :, None] - scores[:, None, :]).reshape(len(scores), -1)
    better = np.sign(gains[:, None] - gains[None, :]).reshape(-1)
    kendall = correlation(above, better)
    top = scores == scores.max(axis=1, keepdims=True)
    pick = (top * gains).sum(axis=1) / top.sum(axis=1)
    each = np.array([spearman, kendall, pick, gains.max() - pick])
    means: Floats = each.mean(axis=1)
    return means
