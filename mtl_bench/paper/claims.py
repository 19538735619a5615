"""What Sections 4 and 5 of the paper say of its runs, each sentence with a test and its result.

Gains share their tasks, so a p-value comes from permuting features, or names, among tasks, never
from counting pairs as if they were independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from mtl_bench.analysis.conclusions import LEVEL, best_majority, by_name
from mtl_bench.analysis.evaluation.scoring import Score
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.gains.gain import Gain
from mtl_bench.analysis.student import quantile
from mtl_bench.paper.tables import Table3Row, linear_r2

Result = Literal["holds", "not contradicted", "not shown", "contradicted", "cannot be tested here"]
Gains = Mapping[tuple[str, str], Gain]
"""By the paper's names of main task and auxiliary."""


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, tested.

    Attributes:
        section: of the paper.
        claim: what it says, in short.
        test: what was looked at.
        numbers: that were measured.
        result: of the test. A claim without evidence is not shown; one against which there is
            evidence is contradicted, as only a claim that something has no effect can be otherwise.
    """

    section: str
    claim: str
    test: str
    numbers: str = ""
    result: Result = "cannot be tested here"


def task_claims(gains: Gains) -> list[Claim]:
    """Return the claims about which tasks help and profit."""
    mains = sorted({main for main, _ in gains})
    ranks = {main: _ranks(gains, main) for main in mains}
    auxes = [task for task in mains if any(task in of for of in ranks.values())]
    contribution = {task: fmean(of[task] for of in ranks.values() if task in of) for task in auxes}
    profit = {
        task: fmean(g.gain_percent for (main, _), g in gains.items() if main == task)
        for task in mains
    }
    return [
        _share_of_gains(gains),
        _largest(
            "chunking and high-level semantic tagging contribute most",
            ("chu", "sem"),
            contribution,
            "mean rank of the auxiliary among those of a main task",
        ),
        _no_gain_from("hyp", "hyperlinks improve no other task", gains),
        _largest(
            "multiwords and hyperlinks profit most",
            ("mwe", "hyp"),
            profit,
            "mean gain of the main task",
        ),
        _both_gain("pos", "ccg", gains),
        _both_gain("mwe", "com", gains),
    ]


def _share_of_gains(gains: Gains) -> Claim:
    above = sum(gain.gain_percent > 0 for gain in gains.values())
    clear = sum(gain.low is not None and gain.low > 0 for gain in gains.values())
    share = above / len(gains) if gains else 0.0
    return Claim(
        section="4",
        claim="multi-task learning improves 40 of 90 cases",
        test="gains above 0, and those whose 95 % interval is above 0",
        numbers=f"{above} of {len(gains)} above 0 ({share:.0%}), {clear} clearly",
        # Ten points either way count as the same share.
        result="holds" if abs(share - 40 / 90) < 0.1 else "contradicted",
    )


def _ranks(gains: Gains, main: str) -> dict[str, float]:
    """Return the rank of each auxiliary of a main task, scaled to 0 (worst) to 1 (best)."""
    own = {aux: gain.gain_percent for (m, aux), gain in gains.items() if m == main}
    ranks = rankdata(list(own.values()))
    return dict(zip(own, (ranks - 1) / max(len(own) - 1, 1), strict=True))


def _largest(claim: str, tasks: tuple[str, ...], value: Mapping[str, float], test: str) -> Claim:
    """Test whether some tasks have the largest values; the p-value permutes the names."""
    # On the runs that the names were chosen from, this p is circular.
    test = (
        f"{test}; p: share of sets of as many tasks that reach as much, at least 1 in their number"
    )
    if not set(tasks) <= value.keys():
        return Claim("4", claim, test)
    total = sum(value[task] for task in tasks)
    sums = [sum(value[task] for task in some) for some in combinations(value, len(tasks))]
    # The tolerance lets a set equal itself whatever the order of its sum.
    p = float(np.mean([each >= total - 1e-12 for each in sums]))
    order = sorted(value, key=lambda task: -value[task])
    places = ", ".join(f"{task} is {order.index(task) + 1}." for task in tasks)
    numbers = f"{places} of {len(order)}; p = {p:.2f}"
    return Claim("4", claim, test, numbers, "holds" if p < LEVEL else "not shown")


def _no_gain_from(aux: str, claim: str, gains: Gains) -> Claim:
    own = [gain for (_, each), gain in gains.items() if each == aux]
    test = "gains of other tasks whose interval is above 0 (95 % for all of them together)"
    if not own or any(gain.error is None for gain in own):
        return Claim("4", claim, test)
    level = 1 - 0.025 / len(own)  # Bonferroni
    clear = [
        gain.main
        for gain in own
        if gain.gain_percent - quantile(level, gain.error_degrees) * (gain.error or 0) > 0
    ]
    above = sum(gain.gain_percent > 0 for gain in own)
    numbers = f"{above} of {len(own)} above 0, clearly {', '.join(clear) or 'none'}"
    return Claim("4", claim, test, numbers, "contradicted" if clear else "not contradicted")


def _both_gain(one: str, other: str, gains: Gains) -> Claim:
    claim, test = f"{one} and {other} help each other", "both 95 % intervals are above 0"
    own = [gains[pair] for pair in ((one, other), (other, one)) if pair in gains]
    if len(own) < 2 or any(gain.effect == "not known" for gain in own):
        return Claim("4", claim, test)
    numbers = ", ".join(
        f"{gain.main} {gain.gain_percent:+.1f} % ({gain.low:+.1f} to {gain.high:+.1f})"
        for gain in own
    )
    result: Result = "not shown"
    if all(gain.low is not None and gain.low > 0 for gain in own):
        result = "holds"
    elif any(gain.high is not None and gain.high < 0 for gain in own):
        result = "contradicted"
    return Claim("4", claim, test, numbers, result)


def score_claims(scores: Sequence[Score], table3: Mapping[str, Table3Row]) -> list[Claim]:
    """Return the claims about how well features predict gains."""
    score_of = by_name(scores)
    every = score_of["pairs", "all", "logistic"]
    baseline, name = best_majority(score_of)
    low, high = every.difference["accuracy"]
    p = every.p["accuracy"]
    signal = Claim(
        section="4.1",
        claim="there is a strong signal in the features",
        test=f"accuracy over knowing {name} (95 % interval), and over permuted features (p), late "
        "gains",
        numbers=f"{every.values['accuracy']:.2f} against {baseline.values['accuracy']:.2f} "
        f"({low:+.2f} to {high:+.2f}); p = {p:.2f}",
        result="holds" if low > 0 and p < LEVEL else "not shown",
    )
    claim = "features of the single runs matter most"
    test = "accuracy of curve features and of data features, each with its p"
    data, curve = (score_of.get(("pairs", name, "logistic")) for name in ("data", "curve"))
    if not data or not curve:
        return [signal, Claim("4.1", claim, test)]
    numbers = ", ".join(
        f"{score.features} {score.values['accuracy']:.2f} (p = {score.p['accuracy']:.2f})"
        for score in (curve, data)
    )
    of_data, always = table3["data features"].f1, table3["majority"].f1
    return [
        signal,
        Claim("4.1", claim, test, numbers, _more(curve, data)),
        Claim(
            section="4.1",
            claim="data features alone are worse than the majority",
            test="F1 as printed, against that of always predicting gain",
            numbers=f"{of_data:.3f} against {always:.3f}",
            result="holds" if of_data < always else "contradicted",
        ),
    ]


def _more(one: Score, other: Score) -> Result:
    larger = one.values["accuracy"] > other.values["accuracy"]
    return "holds" if larger and one.p["accuracy"] < LEVEL else "not shown"


def magnitude_claim(table: Table) -> Claim:
    """Return the claim of the paper's footnote."""
    share = linear_r2(table)
    return Claim(
        section="4, footnote",
        claim="linear regression of the magnitude is inconclusive",
        test="share of the variance of gains left out that least squares predicts (below 0: worse "
        "than their mean)",
        numbers=f"{share:.2f}",
        result="holds" if share < 0.1 else "contradicted",
    )
