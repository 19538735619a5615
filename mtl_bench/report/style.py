"""How figures look, and how they are written: each an SVG, a PNG, and a CSV of what it shows."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from html import escape
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure

from mtl_bench.analysis.study_files import write_csv

INK, PALE = "#010203", "#999999"  # INK becomes the colour of the page's text
GAIN, LOSS = "#0b62a4", "#b35806"  # blue and orange: told apart with any colour vision
# What replaces them in a page, which may be dark.
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

Arguments = ParamSpec("Arguments")


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Attributes:
        name: of its files.
        title: what it shows.
        figure: of matplotlib.
        frame: what it shows, as a table.
    """

    name: str
    title: str
    figure: Figure
    frame: pd.DataFrame

    def svg(self) -> str:
        """Return it for a page: text in the page's colour, no background."""
        stream = io.StringIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
        body = stream.getvalue()
        body = body[body.index("<svg") :]
        for colour, variable in PAGE_COLOURS.items():
            body = body.replace(colour, variable)
        # Several drawings stand in one page, where ids must differ.
        body = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{self.name}-", body)
        # The page's style sheet decides the size.
        body = re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", body, count=1)
        return body.replace("<svg", f'<svg role="img" aria-label="{escape(self.title)}"', 1)

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
        write_csv(folder / f"{self.name}.csv", self.frame)


def styled(draw: Callable[Arguments, Drawing]) -> Callable[Arguments, Drawing]:
    """Return a function that draws with the style of all figures."""

    @wraps(draw)
    def with_style(*arguments: Arguments.args, **options: Arguments.kwargs) -> Drawing:
        with mpl.rc_context(STYLE):
            return draw(*arguments, **options)

    return with_style


def colour_scale(gains: list[float]) -> float:
    """Return the gain at which colours end: 95 percent of gains are below, and at least 1 %."""
    return max(1.0, float(np.quantile(np.abs(gains), 0.95))) if gains else 1.0


def cell_colours(gain: float, limit: float) -> tuple[str, str]:
    """Return background and text colour of a gain: black or white text, whichever reads better."""
    colour = DIVERGING(TwoSlopeNorm(0, -limit, limit)(gain))
    # Relative luminance and contrast of WCAG 2.
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    light = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    white = 1.05 / (light + 0.05) > (light + 0.05) / 0.05
    return mpl.colors.to_hex(colour), "white" if white else "black"


def slug(name: str) -> str:
    """Return a name that can stand in a file's name and in an address."""
    return re.sub(r"[^\w-]", "_", name)


def label(name: str) -> str:
    """Return a name that matplotlib does not read as a formula."""
    return name.replace("$", r"\$")
