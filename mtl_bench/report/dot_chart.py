"""The largest numbers of a section's table, such as the coefficients of Table 4."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from mtl_bench.analysis.section import SectionTable
from mtl_bench.report.style import GAIN, LOSS, PALE, Drawing, styled

ROWS = 20


@styled
def dot_chart(table: SectionTable) -> Drawing:
    """Return a chart of the first rows of a table that has one."""
    chart = table.chart
    if chart is None:
        raise ValueError(f"the table '{table.name}' has no chart")
    # Matplotlib counts places from below, and the largest number is to stand on top.
    rows = table.frame.head(ROWS)[::-1]
    texts = rows.select_dtypes(exclude="number").astype(str)
    names = texts.apply(", ".join, axis=1).str.replace("_", " ")
    figure = Figure(figsize=(6.4, 0.6 + 0.24 * len(rows)), layout="constrained")
    axes = figure.subplots()
    places, values = np.arange(len(rows)), rows[chart.value].to_numpy()
    axes.axvline(0, color=PALE, linewidth=0.8)
    axes.hlines(places, 0, values, color=GAIN, linewidth=1)
    axes.plot(values, places, "o", color=GAIN, markersize=5, label="here")
    if chart.reference in rows:
        reference = rows[chart.reference].to_numpy()
        axes.plot(
            reference, places, "|", color=LOSS, markersize=11, markeredgewidth=2, label="printed"
        )
        axes.legend(frameon=False, loc="lower right")
    axes.set_yticks(places, names.to_list())
    axes.set_xlabel(chart.axis)
    return Drawing(table.name, chart.title, figure, table.frame)
