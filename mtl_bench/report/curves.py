"""Learning curves of a main task: alone, and beside each auxiliary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtl_bench.analysis.gains.gain import Gain, signed
from mtl_bench.analysis.measurements import Measurements
from mtl_bench.report.style import GAIN, INK, LOSS, PALE, Drawing, label, slug, styled

MOST_LINES = 40
"""Lines that can be told apart; of more, those of the largest and smallest gains are drawn."""

BEGIN = 15  # percent of the budget after which the axis is scaled to the curves


@styled
def curves(measurements: Measurements, main: str) -> Drawing:
    """Return how the metric of a main task grows alone (thick) and beside each auxiliary."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    metric = measurements.metrics[main]
    column = f"{metric.name}_percent" if metric.scale == 100 else metric.name
    by_run = measurements.curves()
    gains = sorted(
        (gain for gain in measurements.all_gains if gain.main == main and "+" not in gain.aux),
        key=lambda gain: -gain.points,
    )
    gains = (
        gains
        if len(gains) <= MOST_LINES
        else [*gains[: MOST_LINES // 2], *gains[-MOST_LINES // 2 :]]
    )
    frames: list[pd.DataFrame] = []
    ends: list[tuple[float, str, str]] = []
    for gain in (*gains, None):
        aux = gain.aux if gain else main
        curve = by_run.get(("+".join(sorted({main, aux})), main))
        if curve is None or not len(curve.scores):
            continue
        x, y = 100 * curve.share, metric.scale * curve.scores
        colour, width = (_colour(gain), 0.9) if gain else (INK, 2.2)
        extreme = gain is None or gain in (gains[0], gains[-1])
        axes.plot(x, y, color=colour, linewidth=width, alpha=1 if extreme else 0.35)
        frames.append(pd.DataFrame({"main": main, "aux": aux, "percent_of_steps": x, column: y}))
        if extreme:
            ends.append((float(y[-1]), _end_label(gain), colour))
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    if len(frame):
        _scale_to_late(axes, frame[frame["percent_of_steps"] >= BEGIN][column].to_list())
    _label_ends(axes, ends)
    axes.set_xlabel(f"steps, percent of the budget of {measurements.budget:,.6g} per task")
    axes.set_ylabel(f"{metric.title} of {label(main)}" + (" (%)" if metric.scale == 100 else ""))
    axes.set_xlim(0, 100)
    title = f"{metric.title} of {main} alone and beside auxiliaries"
    return Drawing(f"curves_{slug(main)}", title, figure, frame)


def _colour(gain: Gain) -> str:
    return GAIN if gain.points > 0 else LOSS if gain.points < 0 else PALE


def _end_label(gain: Gain | None) -> str:
    if gain is None:
        return "alone"
    change = f"{signed(gain.gain_percent)} %" if gain.defined else f"{signed(gain.points)} points"
    return f"with {label(gain.aux)} {change}"


def _scale_to_late(axes: Axes, scores: Sequence[float]) -> None:
    """Fit the axis to late scores: the first steps are steep, and would flatten the others."""
    if scores:
        margin = max(0.05 * (max(scores) - min(scores)), 0.1)
        axes.set_ylim(min(scores) - margin, max(scores) + margin)


def _label_ends(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write labels right of the ends of lines, apart from each other."""
    low, high = axes.get_ylim()
    distance = 0.07 * (high - low)
    place = -np.inf
    for value, text, colour in sorted(ends):
        place = max(value, place + distance)
        axes.annotate(
            text, (100, place), xytext=(4, 0), textcoords="offset points",
            color=colour, va="center", annotation_clip=False,
        )  # fmt: skip
