"""Figures of a study, drawn with matplotlib: each an SVG, a PNG, and a CSV of what it shows."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure

from mtl_bench.analysis.gains.gains import METRICS, main_order, signed
from mtl_bench.analysis.study import Study
from mtl_bench.analysis.study_files import write_csv
from mtl_bench.paper import published

INK, PALE = "#010203", "#999999"  # INK becomes the colour of the page's text
GAIN, LOSS = "#0b62a4", "#b35806"  # blue and orange: told apart with any colour vision
# What stands for them in a page, which may be dark.
PAGE_COLOURS = {INK: "currentColor", GAIN: "var(--up)", LOSS: "var(--down)", PALE: "var(--faint)"}
DIVERGING = LinearSegmentedColormap.from_list(
    "gain", ["#7f3b08", "#f1a340", "#f7f7f7", "#6baed6", "#08306b"]
)
STYLE: dict[Any, Any] = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    **{"svg.fonttype": "none", "svg.hashsalt": "mtl_bench", "font.size": 9},
    **{"axes.spines.top": False, "axes.spines.right": False},
}
TOP = 20  # coefficients shown
BEGIN = 15  # percent of the schedule after which curves are looked at


@dataclass(frozen=True)
class Drawn:
    """A figure.

    Attributes:
        name: of its files.
        title: what it shows.
        figure: the drawing.
        header: of the CSV.
        rows: of the CSV.
    """

    name: str
    title: str
    figure: Figure
    header: Sequence[str]
    rows: Sequence[Sequence[object]]

    def svg(self) -> str:
        """Return it for a page: text in the page's colour, no background."""
        stream = io.StringIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
        body = stream.getvalue()
        body = body[body.index("<svg") :]
        for colour, variable in PAGE_COLOURS.items():
            body = body.replace(colour, variable)
        body = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{self.name}-", body)
        size = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", body, count=1)
        return size.replace("<svg", f'<svg role="img" aria-label="{escape(self.title)}"', 1)

    def write(self, folder: Path) -> None:
        """Write SVG, PNG and CSV."""
        folder.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(STYLE):
            FigureCanvasAgg(self.figure)
            for kind in ("svg", "png"):
                metadata = {"Date": None} if kind == "svg" else {}
                self.figure.savefig(
                    folder / f"{self.name}.{kind}", dpi=150, facecolor="white", metadata=metadata
                )
        write_csv(folder / f"{self.name}.csv", self.header, self.rows)


def styled(draw: Callable[[Study], Drawn]) -> Callable[[Study], Drawn]:
    """Draw with the style of all figures."""

    def with_style(study: Study) -> Drawn:
        with mpl.rc_context(STYLE):
            return draw(study)

    return with_style


@styled
def heatmap(study: Study) -> Drawn:
    """Return Figure 1 of the paper: gains by main task (rows) and auxiliary (columns)."""
    gains = {(g.main, g.aux): g for g in study.evidence.gains}
    mains, auxes = main_order(gains), sorted({aux for _, aux in gains})
    figure = Figure(
        figsize=(2.5 + 0.52 * max(len(auxes), 3), 1.6 + 0.52 * max(len(mains), 2)),
        layout="constrained",
    )
    axes = figure.subplots()
    values = np.array(
        [[gains[m, a].gain if (m, a) in gains else np.nan for a in auxes] for m in mains]
    )
    limit = scale(study)
    image = axes.imshow(values, cmap=DIVERGING, norm=TwoSlopeNorm(0, -limit, limit))
    for row, main in enumerate(mains):
        for column, aux in enumerate(auxes):
            if (main, aux) in gains:
                gain = gains[main, aux]
                clear = gain.verdict in ("gain", "loss")
                axes.text(
                    *(column, row, signed(gain.gain)),
                    ha="center",
                    va="center",
                    fontsize=7,
                    fontweight="bold" if clear else "normal",
                    color=text_on(DIVERGING(TwoSlopeNorm(0, -limit, limit)(gain.gain))),
                )
    axes.set_xticks(range(len(auxes)), [plain(task) for task in auxes], rotation=90)
    axes.set_yticks(range(len(mains)), [plain(task) for task in mains])
    axes.set_xlabel("auxiliary task")
    axes.set_ylabel("main task")
    axes.xaxis.set_label_position("top")
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    metric = METRICS[study.evidence.metric]
    label = f"gain of {metric} (%); bold: 95 % interval excludes 0"
    figure.colorbar(image, shrink=0.6, extend="both", label=label)
    fields = ("main", "aux", "gain", "points", "low", "high", "verdict")
    rows = [[getattr(g, name) for name in fields] for g in study.evidence.gains]
    return Drawn("heatmap", "Gains by main and auxiliary task", figure, fields, rows)


@styled
def coefficients(study: Study) -> Drawn:
    """Return the largest coefficients of Table 4, the paper's beside them if these are its runs."""
    paper = published.table4() if study.evidence.published else {}
    ordered = sorted(study.coefficients.items(), key=lambda item: -abs(item[1]))
    shown = ordered[:TOP][::-1]
    figure = Figure(figsize=(6.4, 0.6 + 0.24 * len(shown)), layout="constrained")
    axes = figure.subplots()
    names = [f"{feature.replace('_', ' ')}, {role}" for (feature, role), _ in shown]
    places = np.arange(len(shown))
    axes.axvline(0, color=PALE, linewidth=0.8)
    axes.hlines(places, 0, [value for _, value in shown], color=GAIN, linewidth=1)
    axes.plot([value for _, value in shown], places, "o", color=GAIN, markersize=5, label="here")
    if paper:
        axes.plot(
            *([paper[column] for column, _ in shown], places, "|"),
            color=LOSS, markersize=11, markeredgewidth=2, label="printed",
        )  # fmt: skip
        axes.legend(frameon=False, loc="lower right")
    axes.set_yticks(places, names)
    axes.set_xlabel("mean coefficient of logistic regression (above 0: speaks for a gain)")
    rows = [[f, role, value, paper.get((f, role))] for (f, role), value in ordered]
    header = ("feature", "role", "coefficient", "paper")
    return Drawn("coefficients", "Largest coefficients", figure, header, rows)


@styled
def comparison(study: Study) -> Drawn:
    """Return the honest comparison: choices on pairs, rankings for a new task."""
    figure = Figure(figsize=(8.4, 4.2), layout="constrained")
    panels = figure.subplots(1, 2)
    rows = []
    for axes, protocol, metric, label in zip(
        panels,
        ("pairs", "unseen_main"),
        ("accuracy", "spearman"),
        (
            "gain or loss, tasks seen in other pairs:\naccuracy",
            "auxiliaries of a new task:\nrank correlation",
        ),
        strict=True,
    ):
        scores = [
            s
            for s in study.scores
            if s.protocol == protocol
            and s.model in ("logistic", "majority", "mean gain", "size")
            and not (protocol == "unseen_main" and s.features == "main task")
        ][::-1]
        for place, score in enumerate(scores):
            own = bool(score.p)  # what is tested: sets of features
            colour = GAIN if own else PALE
            low, high = score.low.get(metric, np.nan), score.high.get(metric, np.nan)
            axes.plot([low, high], [place, place], color=colour, linewidth=2 if own else 1.2)
            axes.plot(score.values[metric], place, "o", color=colour, markersize=5)
            rows.append(
                [protocol, score.features, score.model, metric, score.values[metric], low, high]
            )
        axes.set_yticks(range(len(scores)), [_knows(s.features, s.model) for s in scores])
        axes.set_xlabel(label)
    header = ("protocol", "features", "model", "metric", "value", "low", "high")
    return Drawn("comparison", "Predictors beside their rivals", figure, header, rows)


def _knows(features: str, model: str) -> str:
    return features if model == "logistic" else f"{features}: {model}"


def curves(study: Study, main: str) -> Drawn:
    """Return how F1 of a main task grows alone (thick) and beside each auxiliary."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.subplots()
        gains = {g.aux: g.gain for g in study.evidence.gains if g.main == main}
        labels = {aux: f"{signed(gain)} %" for aux, gain in gains.items()}
        for (of, aux), points in study.evidence.undefined.items():
            if of == main and "+" not in aux:
                gains[aux], labels[aux] = points, f"{signed(points)} points"
        ranked = sorted(gains, key=lambda aux: -gains[aux])
        rows: list[tuple[str, str, float, float]] = []
        ends: list[tuple[float, str, str]] = []
        for aux in (*ranked, main):
            run = "+".join(sorted({main, aux}))
            progress = study.evidence.progress.get((run, main))
            if progress is None or not len(progress.f1):
                continue
            x, y = 100 * progress.share, 100 * progress.f1
            colour, width = (INK, 2.2) if aux == main else (_colour(gains[aux]), 0.9)
            extreme = aux in (main, ranked[0], ranked[-1])
            axes.plot(x, y, color=colour, linewidth=width, alpha=1 if extreme else 0.35)
            rows += [(main, aux, *point) for point in zip(x.tolist(), y.tolist(), strict=True)]
            if extreme:
                word = "alone" if aux == main else f"with {plain(aux)} {labels[aux]}"
                ends.append((float(y[-1]), word, colour))
        late = [float(row[3]) for row in rows if float(row[2]) >= BEGIN]
        if late:  # the first steps are steep, and would press the rest together
            margin = max(0.05 * (max(late) - min(late)), 0.1)
            axes.set_ylim(min(late) - margin, max(late) + margin)
        _label_ends(axes, ends)
        axes.set_xlabel("steps, percent of the run's schedule")
        metric = METRICS[study.evidence.metric]
        axes.set_ylabel(f"{metric} of {plain(main)} (%)")
        axes.set_xlim(0, 100)
    header = ("main", "aux", "percent_of_steps", f"{study.evidence.metric}_percent")
    title = f"{metric} of {main} alone and beside auxiliaries"
    return Drawn(f"curves_{slug(main)}", title, figure, header, rows)


def _colour(gain: float) -> str:
    return GAIN if gain > 0 else LOSS if gain < 0 else PALE


def _label_ends(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Write labels right of the ends of lines, apart from each other."""
    low, high = axes.get_ylim()
    apart = 0.07 * (high - low)
    place = -np.inf
    for value, word, colour in sorted(ends):
        place = max(value, place + apart)
        axes.annotate(
            word, (100, place), xytext=(4, 0), textcoords="offset points",
            color=colour, va="center", annotation_clip=False,
        )  # fmt: skip


def scale(study: Study) -> float:
    """Return the gain at which colours end: what all but one in twenty stay below, at least 1 %."""
    sizes = [abs(g.gain) for g in study.evidence.gains]
    return max(1.0, float(np.quantile(sizes, 0.95))) if sizes else 1.0


def text_on(colour: tuple[float, float, float, float]) -> str:
    """Return black or white, whichever is read better on a colour (WCAG relative luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    light = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return "white" if 1.05 / (light + 0.05) > (light + 0.05) / 0.05 else "black"


def slug(name: str) -> str:
    """Return a name that can stand in a file's name and in an address."""
    return re.sub(r"[^\w-]", "_", name)


def plain(name: str) -> str:
    """Return a name that matplotlib does not read as a formula."""
    return name.replace("$", r"\$")


def figures(study: Study) -> dict[str, Drawn]:
    """Return all figures by name."""
    pairs = [(gain.main, gain.aux) for gain in study.evidence.gains]
    mains = main_order([*pairs, *study.evidence.undefined])
    drawn = [heatmap(study)] if pairs else []
    if study.scores:
        drawn += [comparison(study), coefficients(study)]
    drawn += [curves(study, main) for main in mains]
    return {each.name: each for each in drawn}


def colour_of(gain: float, limit: float) -> tuple[str, str]:
    """Return background and text colour of a gain."""
    colour = DIVERGING(TwoSlopeNorm(0, -limit, limit)(gain))
    return mpl.colors.to_hex(colour), text_on(colour)
