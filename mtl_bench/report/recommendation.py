"""A recommendation on the page: its table, its cost, and the expected loss over the cost."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from mtl_bench.analysis.recommend.recommendation import Recommendation
from mtl_bench.analysis.recommend.wording import alone, price, sentences, verdict
from mtl_bench.report.style import GAIN, INK, Drawing, label, slug, styled


def recommendation_content(answer: Recommendation) -> dict[str, Any]:
    """Return what the page's template shows of a recommendation."""
    rows = [row for row in answer.rows if row.gain == row.gain]
    chosen = next((row for row in rows if row.aux == answer.choice), None)
    return {
        "answer": answer,
        "chosen": chosen,
        "alone": alone(answer),
        "verdict": verdict(answer),
        "price": price(answer),
        "more": sentences(answer)[2:],
        "searched": answer.arguments is not None,
        "reach": max([1e-9, *(abs(end) for row in rows for end in (row.low, row.high))]),
        "drawing": f"regret_{slug(answer.main)}" if len(answer.rounds) > 1 else "",
    }


@styled
def regret_curve(answer: Recommendation) -> Drawing:
    """Return the expected loss against the best choice after each round of a search."""
    percent = 100 * answer.cost / max(1, answer.steps)  # a step's
    choices = [each.choice or "none" for each in answer.rounds]
    frame = pd.DataFrame(
        {
            "cost": [each.steps * percent for each in answer.rounds],
            "expected_loss_percent": [each.regret for each in answer.rounds],
            "choice": choices,
        }
    )
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    axes = figure.subplots()
    costs, losses = frame["cost"], frame["expected_loss_percent"]
    axes.plot(costs, losses, "o-", color=GAIN, markersize=4, linewidth=1)
    previous = None
    for cost, loss, choice in zip(costs, losses, choices, strict=True):
        if choice != previous:  # where the choice changes
            axes.annotate(
                label(choice), (cost, loss), xytext=(4, 5), textcoords="offset points",
                fontsize=8, color=INK,
            )  # fmt: skip
        previous = choice
    axes.set_xlim(0, max(100 * answer.cost * 1.15, 1))
    axes.set_ylim(0, max(losses.max() * 1.2, 1e-9))
    axes.set_xlabel("cost, percent of training all to the end")
    axes.set_ylabel("expected loss, %")
    title = f"Expected loss of the choice for {answer.main} over the cost of the search"
    return Drawing(f"regret_{slug(answer.main)}", title, figure, frame)
