"""The verdict in words. The rules are these functions; docs/evaluation.md says them in prose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtl_bench.analysis.data.evidence import Evidence
from mtl_bench.analysis.evaluation.scoring import Score
from mtl_bench.analysis.gains.gains import main_order, signed
from mtl_bench.analysis.gains.uncertainty import Measured

LEVEL = 0.05


@dataclass(frozen=True)
class Answer:
    """A question of a user, what the numbers answer, and which numbers."""

    question: str
    answer: str
    because: str


def answers(
    gains: Sequence[Measured], scores: Sequence[Score], ceiling: Mapping[str, float]
) -> list[Answer]:
    """Return the answers that a study gives, in the order in which a user would ask."""
    by_name = {(s.protocol, s.features, s.model): s for s in scores}
    found = [_effects(gains)] if gains else []
    for protocol, ask in (("pairs", _known_tasks), ("unseen_main", _new_task)):
        if score := by_name.get((protocol, "all", "logistic")):
            found.append(ask(score, by_name))
    if ceiling:
        found.append(
            Answer(
                "What could a perfect predictor score, given the noise of these gains?",
                f"{ceiling['accuracy']:.2f} of the choices right, a rank correlation of "
                f"{ceiling['spearman']:.2f}",
                "it knows the true gains, and is scored by the measured ones",
            )
        )
    return found


def main_tasks(evidence: Evidence) -> list[str]:
    """Return the main tasks of which something is known, those with the most auxiliaries first."""
    measured = (*evidence.gains, *evidence.sets)
    return main_order([*((gain.main, gain.aux) for gain in measured), *evidence.undefined])


def ranked(gains: Sequence[Measured], main: str) -> list[Measured]:
    """Return the gains of a main task, the largest first."""
    return sorted((gain for gain in gains if gain.main == main), key=lambda gain: -gain.gain)


def sentence(evidence: Evidence, main: str) -> str:
    """Say what auxiliaries do for a main task: single ones, else sets of them."""
    own = ranked(evidence.gains, main) or ranked(evidence.sets, main)
    if not own:
        points = {aux: value for (m, aux), value in evidence.undefined.items() if m == main}
        best_aux = max(points, key=lambda aux: points[aux])
        change = f"{best_aux} adds most, {signed(points[best_aux])} points"
        return f"Alone it scores 0, so that a relative change is undefined; {change}."
    best, count = own[0], {v: sum(g.verdict == v for g in own) for v in ("gain", "loss")}
    change = f"{signed(best.gain)} %, {signed(best.points)} points"
    if best.gain > 0:
        unsure = "" if best.verdict in ("gain", "not known") else ", within noise"
        first = f"{best.aux} helps most: {change}{unsure}."
    elif best.gain < 0:
        first = f"No auxiliary helps; {best.aux} costs least ({change})."
    else:
        first = "No auxiliary changes it for the better."
    if all(gain.verdict == "not known" for gain in own):
        return f"{first} How much is noise is not known: train several seeds."
    return f"{first} Clear gains: {count['gain']} of {len(own)}; clear losses: {count['loss']}."


def _effects(gains: Sequence[Measured]) -> Answer:
    """Say how many gains stand out of the noise."""
    question = "Does multi-task learning help here?"
    known = [gain for gain in gains if gain.verdict != "not known"]
    if not known:
        up = sum(gain.gain > 0 for gain in gains)
        return Answer(
            question,
            f"{up} of {len(gains)} gains are above 0; how many stand out of the noise is not known",
            "there is one seed, and too few evaluations; train others beside it (seed=0,1,2)",
        )
    count = {
        word: sum(g.verdict == word for g in known) for word in ("gain", "loss", "within noise")
    }
    others = len(gains) - len(known)
    without = f" (of {others} others the noise is not known)" if others else ""
    seeds = max(gain.seeds for gain in known)
    how = (
        "repeated seeds"
        if seeds > 1
        else "late evaluations of one seed, which make them too narrow"
    )
    return Answer(
        question,
        f"{count['gain']} of {len(known)} pairs gain, {count['loss']} lose, "
        f"{count['within noise']} are within noise{without}",
        f"95 percent intervals from {how}",
    )


def best_majority(by_name: Mapping[tuple[str, str, str], Score]) -> tuple[Score, str]:
    """Return what a choice has to beat, and what that knows: see `evaluation.Protocol.rival`."""
    main, every = (by_name["pairs", name, "majority"] for name in ("main task", "all pairs"))
    if every.values["accuracy"] > main.values["accuracy"]:
        return every, "the majority"
    return main, "the main task"


def _known_tasks(score: Score, by_name: Mapping[tuple[str, str, str], Score]) -> Answer:
    """Compare the choice between gain and loss with that of knowing the main task alone."""
    low, high = score.margin["accuracy"]
    rival, known = best_majority(by_name)
    numbers = by_name["pairs", "random numbers", "logistic"]
    p = score.p["accuracy"]
    if p >= LEVEL:
        meaning = "; not clearly better than features dealt to the wrong tasks"
    else:
        meaning = "" if low > 0 else ", but better than features dealt to the wrong tasks"
    if low > 0:
        verdict = "yes" if p < LEVEL else f"better than knowing {known}"
    elif high < 0:
        verdict = f"worse than knowing {known}"
    else:
        verdict = f"no better than knowing {known}"
    return Answer(
        "Do the features tell gain from loss, for pairs of tasks seen in other pairs?",
        verdict + meaning,
        f"accuracy {score.values['accuracy']:.2f}; knowing {known} "
        f"{rival.values['accuracy']:.2f} (difference {low:+.2f} to {high:+.2f}), random numbers "
        f"{numbers.values['accuracy']:.2f}; p = {p:.2f}",
    )


def _new_task(score: Score, by_name: Mapping[tuple[str, str, str], Score]) -> Answer:
    """Say whether the features rank the auxiliaries of a task never seen."""
    value, p = score.values["spearman"], score.p.get("spearman", math.nan)
    low, high = score.margin["spearman"]
    rival = by_name["unseen_main", "aux task", "mean gain"]
    if not (score.low["spearman"] > 0 and p < LEVEL):
        verdict = "no signal for ranking that these tasks could show"
        if score.low["spearman"] > 0:
            verdict += "; not clearly better than features dealt to the wrong tasks"
    elif low > 0:
        verdict = "carries signal for ranking, more than the auxiliary's gains elsewhere"
    else:
        verdict = "carries signal for ranking, no more than the auxiliary's gains elsewhere"
    return Answer(
        "Do they rank the auxiliaries of a task that was never trained with others?",
        verdict,
        f"rank correlation {value:.2f} ({score.low['spearman']:.2f} to "
        f"{score.high['spearman']:.2f}), p = {p:.2f}; the auxiliary's mean gain elsewhere "
        f"{rival.values['spearman']:.2f} (difference {low:+.2f} to {high:+.2f})",
    )
