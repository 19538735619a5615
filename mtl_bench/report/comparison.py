"""Predictors beside baselines: choices on pairs, rankings for a new task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtl_bench.analysis.evaluation.scoring import Score
from mtl_bench.report.style import GAIN, PALE, Drawing, styled

PANELS = (
    ("pairs", "accuracy", "gain or loss, tasks seen in other pairs:\naccuracy"),
    ("unseen_main", "spearman", "auxiliaries of a new task:\nrank correlation"),
)
MODELS = ("logistic", "majority", "mean gain", "size")


@styled
def comparison(scores: Sequence[Score]) -> Drawing:
    """Return the scores of the paper's predictor and of baselines, with 95 percent intervals."""
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    rows = []
    for axes, (held_out, metric, label) in zip(figure.subplots(1, 2), PANELS, strict=True):
        # A new task has no other pairs, so that its own majority is that of all pairs.
        selection = [
            score
            for score in reversed(scores)
            if score.held_out == held_out
            and score.model in MODELS
            and not (held_out == "unseen_main" and score.features == "main task")
        ]
        for place, score in enumerate(selection):
            tested = bool(score.p) and score.model == "logistic"  # sets of features
            colour = GAIN if tested else PALE
            low, high = score.low.get(metric, np.nan), score.high.get(metric, np.nan)
            axes.plot([low, high], [place, place], color=colour, linewidth=2 if tested else 1.2)
            axes.plot(score.values[metric], place, "o", color=colour, markersize=5)
            rows.append(
                {
                    "held_out": held_out,
                    "features": score.features,
                    "model": score.model,
                    "metric": metric,
                    "value": score.values[metric],
                    "low": low,
                    "high": high,
                }
            )
        axes.set_yticks(range(len(selection)), [_name(score) for score in selection])
        axes.set_xlabel(label)
    return Drawing("comparison", "Predictors beside baselines", figure, pd.DataFrame(rows))


def _name(score: Score) -> str:
    if score.model == "logistic":
        return score.features
    return f"{score.features}: {score.model}"
