"""What Sections 4 and 5 of the paper say of its runs, each sentence with a test and its verdict.

Gains share their tasks, so a p-value comes from dealing features, or names, to other tasks, never
from counting pairs as if they were independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

import numpy as np
from scipy.stats import norm, rankdata

from mtl_bench.analysis.conclusions import LEVEL, best_majority
from mtl_bench.analysis.data.evidence import Evidence
from mtl_bench.analysis.evaluation.baselines import dealt_wrong
from mtl_bench.analysis.evaluation.metrics import rank_correlation, rank_correlations
from mtl_bench.analysis.evaluation.scoring import Score
from mtl_bench.analysis.features.pair_table import Table
from mtl_bench.analysis.gains.uncertainty import Measured
from mtl_bench.paper import published
from mtl_bench.paper.tables import linear_r2

DRAWS = 999
VERDICTS = ("holds", "not contradicted", "not beyond chance", "does not hold")
STAND_INS = {"ccg_redwoods": "ccg", "hyp_wescience": "hyp"}


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper, put to the test.

    Attributes:
        section: of the paper.
        claim: what it says, in short.
        test: what was looked at.
        found: the numbers.
        verdict: one of VERDICTS, or that it cannot be tested here. What claims that something
            tells little can only be contradicted.
    """

    section: str
    claim: str
    test: str
    found: str
    verdict: str


def claims(
    evidence: Evidence,
    table: Table,
    scores: Sequence[Score],
    coefficients: Mapping[tuple[str, str], float],
) -> list[Claim]:
    """Return the paper's claims, tested on some runs."""
    return [
        *(_about_tasks(evidence) if _knows_the_paper(evidence) else []),
        *_about_scores(scores),
        _about_magnitude(table),
        *_about_features(table, coefficients),
    ]


def _knows_the_paper(evidence: Evidence) -> bool:
    """Return whether any task is one of the paper's."""
    return any(_paper_name(gain.main) in published.table1() for gain in evidence.gains)


def _about_tasks(evidence: Evidence) -> list[Claim]:
    gains = {(_paper_name(g.main), _paper_name(g.aux)): g for g in evidence.gains}
    tasks = sorted({main for main, _ in gains})
    up = sum(g.gain > 0 for g in gains.values())
    share = up / len(gains) if gains else 0.0
    clear = sum(g.verdict == "gain" for g in gains.values())
    result = [
        Claim(
            *("4", "multi-task learning improves 40 of 90 cases"),
            "gains above 0, and those whose 95 % interval is above 0",
            f"{up} of {len(gains)} above 0 ({share:.0%}), {clear} clearly",
            "holds" if abs(share - 40 / 90) < 0.1 else "does not hold",
        )
    ]
    ranks = {main: _within(gains, main) for main in tasks}
    given = {t: fmean(of[t] for of in ranks.values() if t in of) for t in tasks}
    taken = {t: fmean(g.gain for (main, _), g in gains.items() if main == t) for t in tasks}
    result.append(
        _top(
            "chunking and high-level semantic tagging contribute most",
            ("chu", "sem"),
            given,
            "mean rank of the auxiliary among those of a main task",
        )
    )
    result.append(_none_gain("hyperlinks improve no other task", "hyp", gains))
    result.append(
        _top(
            "multiwords and hyperlinks profit most",
            ("mwe", "hyp"),
            taken,
            "mean gain of the main task",
        )
    )
    for one, other in (("pos", "ccg"), ("mwe", "com")):
        result.append(_symbiosis(one, other, gains))
    return result


def _within(gains: Mapping[tuple[str, str], Measured], main: str) -> dict[str, float]:
    """Return the rank of each auxiliary of a main task, scaled to 0 (worst) to 1 (best)."""
    own = {aux: g.gain for (m, aux), g in gains.items() if m == main}
    ranks = rankdata(list(own.values()))
    return dict(zip(own, (ranks - 1) / max(len(own) - 1, 1), strict=True))


def _top(claim: str, named: tuple[str, ...], value: Mapping[str, float], test: str) -> Claim:
    """Test whether some tasks are the first of all; the p-value deals the names anew."""
    test = f"{test}; p: share of sets of as many tasks that reach as much"
    if not set(named) <= value.keys():
        return Claim("4", claim, test, "", "cannot be tested here")
    total = sum(value[t] for t in named)
    sums = [sum(value[t] for t in some) for some in combinations(value, len(named))]
    p = float(np.mean([each >= total - 1e-12 for each in sums]))
    order = sorted(value, key=lambda t: -value[t])
    places = ", ".join(f"{t} is {order.index(t) + 1}." for t in named)
    found = f"{places} of {len(order)}; p = {p:.2f}"
    return Claim("4", claim, test, found, "holds" if p < LEVEL else "not beyond chance")


def _none_gain(claim: str, aux: str, gains: Mapping[tuple[str, str], Measured]) -> Claim:
    own = [g for (_, a), g in gains.items() if a == aux]
    test = "gains of other tasks whose interval is above 0 (95 % for all of them together)"
    if not own or any(g.error is None for g in own):
        return Claim("4", claim, test, "", "cannot be tested here")
    width = float(norm.ppf(1 - 0.025 / len(own)))  # Bonferroni
    clear = [g.main for g in own if g.gain - width * (g.error or 0) > 0]
    above = sum(g.gain > 0 for g in own)
    found = f"{above} of {len(own)} above 0, clearly {', '.join(clear) or 'none'}"
    return Claim("4", claim, test, found, "does not hold" if clear else "not contradicted")


def _symbiosis(one: str, other: str, gains: Mapping[tuple[str, str], Measured]) -> Claim:
    claim, test = f"{one} and {other} help each other", "both 95 % intervals are above 0"
    if (one, other) not in gains or gains[one, other].verdict == "not known":
        return Claim("4", claim, test, "", "cannot be tested here")
    both = [gains[one, other], gains[other, one]]
    found = ", ".join(
        f"{g.main} {g.gain:+.1f} %"
        + (f" ({g.low:+.1f} to {g.high:+.1f})" if g.low is not None else "")
        for g in both
    )
    if all(g.verdict == "gain" for g in both):
        verdict = "holds"
    else:
        verdict = "not beyond chance" if all(g.gain > 0 for g in both) else "does not hold"
    return Claim("4", claim, test, found, verdict)


def _about_scores(scores: Sequence[Score]) -> list[Claim]:
    by_name = {(s.protocol, s.features, s.model): s for s in scores}
    every = by_name["pairs", "all", "logistic"]
    rival, known = best_majority(by_name)
    low, high = every.margin["accuracy"]
    signal = Claim(
        *("4.1", "there is a strong signal in the features"),
        f"accuracy over knowing {known} (95 % interval), and over features dealt to the wrong "
        "tasks (p)",
        f"{every.values['accuracy']:.2f} against {rival.values['accuracy']:.2f} "
        f"({low:+.2f} to {high:+.2f}); p = {every.p['accuracy']:.2f}",
        "holds" if low > 0 and every.p["accuracy"] < LEVEL else "does not hold",
    )
    section, claim = "4.1", "features of the single runs matter most"
    test = "accuracy of curve features and of data features, each with its p"
    data, curve = (by_name.get(("pairs", name, "logistic")) for name in ("data", "curve"))
    if not data or not curve:
        return [signal, Claim(section, claim, test, "", "cannot be tested here")]
    found = ", ".join(
        f"{s.features} {s.values['accuracy']:.2f} (p = {s.p['accuracy']:.2f})"
        for s in (curve, data)
    )
    plain = by_name["printed", "data features", "logistic"].values["f1"]
    always = by_name["printed", "majority", ""].values["f1"]
    return [
        signal,
        Claim(section, claim, test, found, _more(curve, data)),
        Claim(
            *("4.1", "data features alone are worse than the majority"),
            "F1 as printed, against that of always saying gain",
            f"{plain:.3f} against {always:.3f}",
            "holds" if plain < always else "does not hold",
        ),
    ]


def _about_magnitude(table: Table) -> Claim:
    share = linear_r2(table)
    return Claim(
        *("4, footnote", "linear regression of the magnitude is inconclusive"),
        "share of the variance of gains left out that least squares predicts (below 0: worse than "
        "their mean)",
        f"{share:.2f}",
        "holds" if share < 0.1 else "does not hold",
    )


def _more(one: Score, other: Score) -> str:
    if one.values["accuracy"] <= other.values["accuracy"]:
        return "does not hold"
    return "holds" if one.p["accuracy"] < LEVEL else "not beyond chance"


def _about_features(table: Table, coefficients: Mapping[tuple[str, str], float]) -> list[Claim]:
    order = sorted(coefficients, key=lambda column: -abs(coefficients[column]))
    column = {name: n for n, name in enumerate(table.columns)}
    wrong = np.array([each.values for each in dealt_wrong(table, DRAWS)])

    def tell(section: str, claim: str, expected: Mapping[tuple[str, str], int]) -> Claim:
        """Test the correlation of columns with gain or loss; `expected` is its sign, 0 for weak."""
        test = "rank correlation with the gain; p (two-sided): features dealt to the wrong tasks"
        if not expected.keys() <= column.keys():
            return Claim(section, claim, test, "", "cannot be tested here")
        found, verdicts = [], []
        for name, sign in expected.items():
            true = rank_correlation(table.values[:, column[name]], table.gain)
            drawn = rank_correlations(wrong[:, :, column[name]], table.gain)
            p = (1 + (np.abs(drawn) >= abs(true) - 1e-12).sum()) / (1 + len(drawn))
            place = order.index(name) + 1
            found.append(
                f"{' '.join(name)} {true:+.2f}, p = {p:.2f}, coefficient {coefficients[name]:+.2f} "
                f"({place}. of {len(order)})"
            )
            clear = p < LEVEL
            if sign == 0:
                verdicts.append("does not hold" if clear else "not contradicted")
            elif np.sign(true) != sign:
                verdicts.append("does not hold")
            else:
                verdicts.append("holds" if clear else "not beyond chance")
        worst = max(verdicts, key=VERDICTS.index)
        return Claim(section, claim, test, "; ".join(found), worst)

    return [
        tell(
            *(
                "4.2",
                "main tasks that flatten early and auxiliaries that are still steep at 20-30 %",
            ),
            {
                **{(f"gradient_{p}", "main"): 1 for p in (20, 30)},
                **{(f"gradient_{p}", "aux"): -1 for p in (20, 30)},
            },
        ),
        tell("4.2", "more labels of the main task", {("labels", "main"): 1}),
        tell("4.2", "higher label entropy of the auxiliary", {("label_entropy", "aux"): 1}),
        tell("4.2", "more unknown words of the main task", {("oov_percent", "main"): 1}),
        tell(
            "4.2",
            "divergence of train and test tells little",
            {("jsd", "main"): 0, ("jsd", "aux"): 0},
        ),
        tell(
            "4.2",
            "sizes tell little",
            {("size", "main"): 0, ("size", "aux"): 0, ("size", "ratio"): 0},
        ),
        _ratios(coefficients),
    ]


def _ratios(coefficients: Mapping[tuple[str, str], float]) -> Claim:
    curve = {c: abs(v) for c, v in coefficients.items() if c[0].startswith(("gradient", "curve"))}
    ratio = [v for (_, role), v in curve.items() if role == "ratio"]
    other = [v for (_, role), v in curve.items() if role != "ratio"]
    claim, test = "ratios of curve features tell less", "mean size of the coefficients"
    if not ratio or not other:
        return Claim("4.2", claim, test, "", "cannot be tested here")
    found = f"ratios {np.mean(ratio):.2f}, others {np.mean(other):.2f}"
    return Claim(
        "4.2", claim, test, found, "holds" if np.mean(ratio) < np.mean(other) else "does not hold"
    )


def _paper_name(task: str) -> str:
    return STAND_INS.get(task, task)
