"""Compare the gains of a sweep with those that Bingel and Søgaard (2017) published.

    python docs/examples/compare_with_published.py <sweep> [<figure.svg>]

Prints a table, the mean gain of each source, and the correlation between them. Gains are not
independent: those of one main task share its single run, and each auxiliary serves several mains.
So the mean has Student's interval over main tasks, the correlation a p value by permuting tasks
(Mantel, 1967) and an interval by the jackknife over tasks (one task is left out in turn).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from itertools import permutations

import matplotlib
import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, spearmanr, t

import mtl_bench
from mtl_bench.paper.published_runs import published_measurements

PAIR = ["main", "aux"]


def compared(sweep: str) -> pd.DataFrame:
    """Return a row for each pair that both have, the sweep's columns and `paper_...`."""
    ours = mtl_bench.open_sweep(sweep).gains()
    ours = ours[ours["budget"] == ours["budget"].max()].set_index(PAIR)
    paper = pd.DataFrame([vars(gain) for gain in published_measurements().gains]).set_index(PAIR)
    rows: pd.DataFrame = ours.join(paper.add_prefix("paper_"), how="inner").reset_index()
    return rows


def correlation(rows: pd.DataFrame) -> float:
    """Return Spearman's correlation of gains."""
    return float(spearmanr(rows["gain_percent"], rows["paper_gain_percent"]).statistic)


def mantel(rows: pd.DataFrame) -> tuple[float, int]:
    """Return the one-sided p value of the correlation, and the number of permutations.

    The tasks of one source are exchanged, mains and auxiliaries alike.
    """
    tasks = sorted({*rows["main"], *rows["aux"]})
    own = {(m, a): g for m, a, g in rows[[*PAIR, "gain_percent"]].itertuples(index=False)}
    observed, values = correlation(rows), []
    for order in permutations(tasks):
        other = dict(zip(tasks, order, strict=True))
        exchanged = rows.assign(
            gain_percent=[own[other[m], other[a]] for m, a in rows[PAIR].itertuples(index=False)]
        )
        values.append(correlation(exchanged))
    return float(np.mean(np.array(values) >= observed - 1e-12)), len(values)


def jackknife(
    rows: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]
) -> tuple[float, float]:
    """Return the 95 percent interval of a correlation, by leaving out one task in turn.

    A task is left out as main task and as auxiliary. The error is that of Fisher's z.
    """
    tasks = sorted({*rows["main"], *rows["aux"]})
    others = (rows[(rows["main"] != task) & (rows["aux"] != task)] for task in tasks)
    values = np.arctanh([statistic(other) for other in others])
    n = len(tasks)
    error = math.sqrt((n - 1) / n * float(np.sum((values - values.mean()) ** 2)))
    width, center = float(t.ppf(0.975, n - 1)) * error, math.atanh(statistic(rows))
    return math.tanh(center - width), math.tanh(center + width)


def mean_over_mains(rows: pd.DataFrame, column: str) -> tuple[float, float, float]:
    """Return the mean gain and its 95 percent interval over main tasks."""
    means = rows.groupby("main")[column].mean()
    width = float(t.ppf(0.975, len(means) - 1)) * float(means.std(ddof=1)) / math.sqrt(len(means))
    return float(means.mean()), float(means.mean()) - width, float(means.mean()) + width


def clear_after_correction(rows: pd.DataFrame) -> pd.Series:
    """Return which gains differ from 0 at a false discovery rate of 5 percent.

    Errors are of seeds alone, pooled over the auxiliaries of a main task; the procedure is that of
    Benjamini and Hochberg (1995).
    """
    variance = (rows["seed_sd"] ** 2).groupby(rows["main"]).transform("mean")
    degrees = (rows["seeds"] - 1).groupby(rows["main"]).transform("sum")
    p = 2 * t.sf((rows["gain_percent"] / np.sqrt(variance / rows["seeds"])).abs(), degrees)
    return pd.Series(false_discovery_control(p) <= 0.05, rows.index)


def markdown(rows: pd.DataFrame) -> str:
    """Return the table."""
    lines = ["| main | aux | gain, % | 95 % interval | points | paper: gain, % | 95 % interval |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in rows.itertuples():
        mark = " *" if row.clear else ""
        paper = f"{row.paper_low:+.1f} .. {row.paper_high:+.1f}"
        lines.append(
            f"| {row.main} | {row.aux} | {row.gain_percent:+.1f}{mark} | {row.low:+.1f} .. "
            f"{row.high:+.1f} | {row.points:+.1f} | {row.paper_gain_percent:+.1f} | {paper} |"
        )
    return "\n".join(lines)


def figure(rows: pd.DataFrame, path: str) -> None:
    """Draw the gains of both, with the intervals of the sweep's."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    drawing = plt.figure(figsize=(6.4, 4), layout="constrained")
    axes = drawing.gca()
    for number, (main, own) in enumerate(rows.groupby("main")):
        error = (own["gain_percent"] - own["low"], own["high"] - own["gain_percent"])
        axes.errorbar(own["paper_gain_percent"], own["gain_percent"], yerr=error, label=main,
                      fmt="osD^vP"[number % 6], markersize=5, elinewidth=0.8)  # fmt: skip
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_xlabel("published gain, percent (GloVe and biLSTM, one seed)")
    axes.set_ylabel("gain with a pretrained encoder, percent")
    drawing.legend(title="main task", loc="outside right upper", frameon=False)
    # Without a date: the same figure is the same file.
    drawing.savefig(path, metadata={"Date": None})


def main(arguments: Sequence[str]) -> None:
    """Print and draw."""
    rows = compared(arguments[0])
    mains = rows["main"].nunique()
    rows["clear"] = clear_after_correction(rows)
    print(markdown(rows))
    low, high = jackknife(rows, correlation)
    p, count = mantel(rows)
    print(
        f"\n* differs from 0 at a false discovery rate of 5 %: {rows['clear'].sum()} of {len(rows)}"
    )
    for title, column in (("sweep", "gain_percent"), ("paper", "paper_gain_percent")):
        mean, *interval = mean_over_mains(rows, column)
        print(f"mean gain, {title}: {mean:+.2f} % ({interval[0]:+.2f} to {interval[1]:+.2f})")
    print(
        f"Spearman {correlation(rows):+.2f} ({low:+.2f} to {high:+.2f}, jackknife over {mains} "
        f"tasks); p = {p:.3f}, {count} permutations"
    )
    if arguments[1:]:
        figure(rows, arguments[1])


if __name__ == "__main__":
    main(sys.argv[1:])
