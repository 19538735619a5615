"""Figure 1 of the paper: gains by main task (rows) and auxiliary (columns)."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from mtl_bench.analysis.gains.gain import main_order, signed
from mtl_bench.analysis.measurements import Measurements
from mtl_bench.report.style import DIVERGING, Drawing, cell_colours, colour_scale, label, styled

INCHES = 0.52  # of a cell
COLUMNS = ["main", "aux", "metric", "gain_percent", "points", "low", "high", "effect"]


@styled
def heatmap(measurements: Measurements) -> Drawing:
    """Return the map of all gains from one auxiliary."""
    gains = {(gain.main, gain.aux): gain for gain in measurements.gains}
    mains, auxes = main_order(gains), sorted({aux for _, aux in gains})
    size = (2.5 + INCHES * max(len(auxes), 3), 1.6 + INCHES * max(len(mains), 2))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    limit = colour_scale([gain.gain_percent for gain in gains.values()])
    values = np.full((len(mains), len(auxes)), np.nan)
    for (main, aux), gain in gains.items():
        row, column = mains.index(main), auxes.index(aux)
        values[row, column] = gain.gain_percent
        # Numbers as well: colours end at 95 percent of the gains, see `colour_scale`.
        axes.text(
            column,
            row,
            signed(gain.gain_percent),
            ha="center",
            va="center",
            fontsize=7,
            fontweight="bold" if gain.clear else "normal",
            color=cell_colours(gain.gain_percent, limit)[1],
        )
    image = axes.imshow(values, cmap=DIVERGING, norm=TwoSlopeNorm(0, -limit, limit))
    axes.set_xticks(range(len(auxes)), [label(task) for task in auxes], rotation=90)
    axes.set_yticks(range(len(mains)), [label(task) for task in mains])
    axes.set_xlabel("auxiliary task")
    axes.set_ylabel("main task")
    axes.xaxis.set_label_position("top")
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    shown = any(gain.clear for gain in gains.values())
    bold = "bold: helps or hurts" if shown else "none is shown to help or to hurt"
    text = f"gain of {measurements.metric_title} (%); {bold}"
    figure.colorbar(image, shrink=0.6, extend="both", label=text)
    frame = pd.DataFrame([asdict(gain) for gain in gains.values()])[COLUMNS]
    return Drawing("heatmap", "Gains by main and auxiliary task", figure, frame)
