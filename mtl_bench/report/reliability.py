"""Whether probabilities mean what they say: how often candidates helped, by predicted P(helps)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mtl_bench.analysis.recommend.replay import Replay
from mtl_bench.report.style import GAIN, PALE, Drawing, styled

EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def reliability(replays: Sequence[Replay]) -> pd.DataFrame:
    """Return predicted probabilities of helping and how often candidates did, by bins.

    All decision points of all replays count, but for the first, at which nothing is known.

    Returns:
        Columns `from`, `to`, `predicted` (mean), `helped` (share), `low` and `high` (of that share
        in main tasks drawn anew: 80 percent between them), `predictions`.
    """
    rows = pd.DataFrame(
        [
            (one.main, float(p), bool(helped))
            for one in replays
            for decision in one.rounds[1:]
            for p, helped in zip(decision.outlook.helps, one.helped, strict=True)
        ],
        columns=["main", "p", "helped"],
    )
    random = np.random.default_rng(0)
    mains = rows["main"].unique()
    table = []
    for low, high in itertools.pairwise(EDGES):
        own = rows[(rows["p"] >= low) & ((rows["p"] < high) | (high == 1) & (rows["p"] == 1))]
        if own.empty:
            continue
        by_main = own.groupby("main")["helped"].agg(["sum", "count"]).reindex(mains, fill_value=0)
        drawn = by_main.to_numpy()[random.integers(len(mains), size=(2000, len(mains)))].sum(1)
        shares = drawn[drawn[:, 1] > 0]
        ends = np.quantile(shares[:, 0] / shares[:, 1], (0.1, 0.9))
        table.append((low, high, own["p"].mean(), own["helped"].mean(), *ends, len(own)))
    columns = ["from", "to", "predicted", "helped", "low", "high", "predictions"]
    return pd.DataFrame(table, columns=columns)


@styled
def reliability_curve(name: str, replays: Sequence[Replay]) -> Drawing:
    """Return the drawing of a policy's `reliability`.

    Args:
        name: of the policy.
        replays: of it, one for each main task.
    """
    frame = reliability(replays)
    figure = Figure(figsize=(4.2, 3.8), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=PALE, linewidth=0.8)
    axes.vlines(frame["predicted"], frame["low"], frame["high"], color=GAIN, linewidth=1)
    axes.plot(frame["predicted"], frame["helped"], "o-", color=GAIN, markersize=5, linewidth=1)
    for row in frame.to_dict("records"):
        axes.annotate(
            str(row["predictions"]),
            (row["predicted"], row["helped"]),
            xytext=(6, -10 if row["helped"] > 0.1 else 4),  # above the axis
            textcoords="offset points",
            fontsize=7,
        )
    axes.set_xlim(-0.02, 1.06)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("P(helps), predicted")
    axes.set_ylabel("share of candidates that helped")
    title = f"How often candidates helped, by predicted probability (policy {name})"
    return Drawing(f"reliability_{name}", title, figure, frame)
