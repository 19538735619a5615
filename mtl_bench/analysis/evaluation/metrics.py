"""How good predictions are: as a choice between gain and loss, and as a ranking of auxiliaries.

A predictor gives every pair a score; above 0 it says "gain".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from mtl_bench.analysis.data.single_runs import Floats
from mtl_bench.analysis.evaluation.folds import Folds
from mtl_bench.analysis.features.pair_table import Table

METRICS = ("accuracy", "f1", "auc", "spearman", "kendall", "top_gain", "regret")
DRAWS = 1000


@dataclass(frozen=True)
class Parts:
    """What the metrics are made of, by main task, so that tasks can be resampled.

    Attributes:
        counts: [M, 4] pairs, right ones, predicted gains that are gains, predicted plus true gains.
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
        pairs, right, both, said = (w @ self.counts).T
        contests = ((w @ self.contests) * w).sum(axis=1)
        wins = ((w @ self.wins) * w).sum(axis=1)
        ranked = np.isfinite(self.ranking[:, 0])
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = np.where(said > 0, 2 * both / said, 0)
            ranking = (w[:, ranked] @ self.ranking[ranked]) / w[:, ranked].sum(1, keepdims=True)
            result: Floats = np.column_stack([right / pairs, f1, wins / contests, ranking])
        return result

    def resampled(self, draws: int = DRAWS) -> Floats:
        """Return [D, 7] the metrics when main tasks are drawn anew, with replacement."""
        tasks = len(self.counts)
        drawn = np.random.default_rng(0).integers(tasks, size=(draws, tasks))
        weights = np.array([np.bincount(each, minlength=tasks) for each in drawn], dtype=np.float64)
        return self.metrics(weights)


def middle(metrics: Floats) -> Floats:
    """Return [2, F] the middle 95 percent of [D, F] draws, those that are nan left out."""
    columns = (column[np.isfinite(column)] for column in metrics.T)
    ends = [np.quantile(c, [0.025, 0.975]) if len(c) else np.full(2, np.nan) for c in columns]
    return np.array(ends).T


def score_parts(table: Table, folds: Folds, scores: Floats) -> Parts:
    """Return what the metrics of some predictions are made of, means over runs.

    Only scores of one fit are compared with each other. Those of different fits differ by what was
    held out: without the gains of a task the mean of the others is lower, so that pooled scores
    order tasks backwards (an AUC of 0.1 for a predictor that knows nothing). So the AUC compares
    pairs of one fold, and rankings are scored where one fold holds all pairs of a main task.

    Args:
        table: N pairs and their gains.
        folds: B of them.
        scores: [B, N] by the fit of each fold; those of training rows are not looked at.
    """
    names = table.tasks()
    main = np.array([names.index(task) for task in table.main])
    of = (main == np.arange(len(names))[:, None]).astype(np.float64)  # [M, N]
    truth = table.helps() > 0
    said = (scores > 0) & folds.test
    counts = np.stack(
        [folds.test, folds.test & (said == truth), said & truth, folds.test * (1.0 * said + truth)]
    ).sum(axis=1)
    wins, contests = (np.zeros((len(table), len(table))) for _ in range(2))
    for held, score in zip(folds.test, scores, strict=True):
        compared = np.ix_(held & truth, held & ~truth)
        wins[compared] += np.sign(score[compared[0]] - score[compared[1]]) / 2 + 0.5
        contests[compared] += 1
    ranking = np.full((len(names), 4), np.nan)
    for row, own in enumerate(of > 0):
        whole = (folds.test & own).sum(axis=1) == own.sum()
        if own.sum() > 1 and whole.any():
            ranking[row] = _rank(table.gain[own], scores[np.ix_(whole, own)])
    runs = folds.runs
    return Parts(
        of @ counts.T / runs, of @ wins @ of.T / runs, of @ contests @ of.T / runs, ranking
    )


def _rank(gains: Floats, scores: Floats) -> Floats:
    """Return [4] Spearman, Kendall (tau-b), gain of the top pick and regret, means over [R, n].

    Scores that tie leave the choice to chance; scores that all tie correlate with nothing: 0.
    """
    ranks, truth = rankdata(scores, axis=1), rankdata(gains)
    spearman = _correlation(ranks - ranks.mean(1, keepdims=True), truth - truth.mean())
    above = np.sign(scores[:, :, None] - scores[:, None, :]).reshape(len(scores), -1)
    better = np.sign(gains[:, None] - gains[None, :]).reshape(-1)
    kendall = _correlation(above, better)
    top = scores == scores.max(axis=1, keepdims=True)
    pick = (top * gains).sum(axis=1) / top.sum(axis=1)
    each = np.array([spearman, kendall, pick, gains.max() - pick])
    means: Floats = each.mean(axis=1)
    return means


def rank_correlation(a: Floats, b: Floats) -> float:
    """Return Spearman's rank correlation of [N] and [N]; 0 if one of them is constant."""
    return float(rank_correlations(a[None], b)[0])


def rank_correlations(a: Floats, b: Floats) -> Floats:
    """Return Spearman's rank correlation of each row of [D, N] with [N]; 0 if one is constant."""
    middle = (len(b) + 1) / 2
    return _correlation(rankdata(a, axis=1) - middle, rankdata(b) - middle)


def _correlation(a: Floats, b: Floats) -> Floats:
    """Return the cosine of each row of `a` with `b`; 0 where one of them is 0."""
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum())
    result: Floats = np.where(size > 0, (a @ b) / np.where(size > 0, size, 1), 0)
    return result
