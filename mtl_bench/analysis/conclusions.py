"""What a study says in words, by the rules that docs/evaluation.md has in prose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mtl_bench.analysis.evaluation.scoring import Score
from mtl_bench.analysis.gains.gain import Gain, main_order, signed
from mtl_bench.analysis.measurements import Measurements

LEVEL = 0.05
NOT_PERMUTED = "not shown to be better than permuted features"

Scores = Mapping[tuple[str, str, str], Score]
"""By what is held out, features and model."""


@dataclass(frozen=True)
class Conclusion:
    """A question of a user, the answer of the study, and its numbers."""

    question: str
    answer: str
    because: str


def by_name(scores: Sequence[Score]) -> Scores:
    """Return scores by what is held out, features and model."""
    return {(score.held_out, score.features, score.model): score for score in scores}


def conclusions(
    gains: Sequence[Gain], scores: Sequence[Score], ceiling: Mapping[str, float]
) -> list[Conclusion]:
    """Return the conclusions of a study, in the order in which a user would ask."""
    score_of = by_name(scores)
    result = [_effects(gains)] if gains else []
    for held_out, conclude in (("pairs", _seen_tasks), ("unseen_main", _new_task)):
        if score := score_of.get((held_out, "all", "logistic")):
            result.append(conclude(score, score_of))
    if ceiling:
        result.append(
            Conclusion(
                "What could a perfect predictor score, given the noise of these gains?",
                f"{ceiling['accuracy']:.2f} of the choices right, a rank correlation of "
                f"{ceiling['spearman']:.2f}",
                "it knows the true gains, and is scored by the measured ones",
            )
        )
    return result


def main_tasks(measurements: Measurements) -> list[str]:
    """Return the main tasks that have gains, those with the most auxiliaries first."""
    return main_order((gain.main, gain.aux) for gain in measurements.all_gains)


def ranked(gains: Sequence[Gain], main: str) -> list[Gain]:
    """Return the gains of a main task, the largest first."""
    return sorted((gain for gain in gains if gain.main == main), key=lambda g: -g.gain_percent)


def sentence(measurements: Measurements, main: str) -> str:
    """Return what auxiliaries do for a main task: single ones, else sets of them."""
    gains = ranked(measurements.gains, main) or ranked(measurements.sets, main)
    if not gains:
        of_main = [gain for gain in measurements.undefined if gain.main == main]
        most = max(of_main, key=lambda gain: gain.points)
        change = f"{most.aux} adds most, {signed(most.points)} points"
        return f"Alone it scores 0, so that a relative change is undefined; {change}."
    best = gains[0]
    count = {effect: sum(gain.effect == effect for gain in gains) for effect in ("helps", "hurts")}
    change = f"{signed(best.gain_percent)} %, {signed(best.points)} points"
    if best.gain_percent > 0:
        first = f"{best.aux} helps most: {change}{_undecided(best)}."
    elif best.gain_percent < 0:
        first = f"No gain is above 0; {best.aux} costs least ({change})."
    else:
        first = "No auxiliary changes it for the better."
    if all(gain.effect == "not known" for gain in gains):
        return first
    return f"{first} Clear gains: {count['helps']} of {len(gains)}; clear losses: {count['hurts']}."


def _undecided(gain: Gain) -> str:
    """Return that a gain is undecided, and which would have been shown."""
    if gain.effect != "undecided":
        return ""
    if gain.detectable is None:
        return ", undecided"
    return f", undecided (smallest detectable gain: {gain.detectable:.1f} %)"


def _effects(gains: Sequence[Gain]) -> Conclusion:
    """Say how many gains are larger than the noise."""
    question = "Does multi-task learning help here?"
    measured = [gain for gain in gains if gain.effect != "not known"]
    if not measured:
        up = sum(gain.gain_percent > 0 for gain in gains)
        return Conclusion(
            question,
            f"{up} of {len(gains)} gains are above 0; how many exceed the noise is not known",
            "there is one seed, and too few evaluations; train others beside it (seed=0,1,2)",
        )
    count = {
        effect: sum(gain.effect == effect for gain in measured)
        for effect in ("helps", "hurts", "undecided")
    }
    others = len(gains) - len(measured)
    without = f" (of {others} others the noise is not known)" if others else ""
    source = "late evaluations of one seed, which are too small"
    if max(gain.seeds for gain in measured) > 1:
        late = any(gain.late_counts for gain in measured)
        source = f"repeated seeds{' and late evaluations, whichever scatter more' if late else ''}"
    return Conclusion(
        question,
        f"{count['helps']} of {len(measured)} auxiliaries help, {count['hurts']} hurt, "
        f"{count['undecided']} are undecided{without}",
        f"5 percent false discoveries; errors from {source}",
    )


def best_majority(scores: Scores) -> tuple[Score, str]:
    """Return the baseline of a choice and its name: see `evaluation.Evaluation.baseline`."""
    main, every = (scores["pairs", name, "majority"] for name in ("main task", "all pairs"))
    if every.values["accuracy"] > main.values["accuracy"]:
        return every, "the majority"
    return main, "the main task"


def _seen_tasks(score: Score, scores: Scores) -> Conclusion:
    """Compare the choice between gain and loss with that of knowing the main task alone."""
    # Of the difference, whose two scores share each resampling of tasks: intervals of the scores
    # themselves would overlap even where one is better in every resampling.
    low, high = score.difference["accuracy"]
    baseline, name = best_majority(scores)
    numbers = scores["pairs", "random numbers", "logistic"]
    p = score.p["accuracy"]
    if low > 0:
        answer = "yes" if p < LEVEL else f"better than knowing {name}; {NOT_PERMUTED}"
    else:
        comparison = "worse than" if high < 0 else "not shown to be better than"
        meaning = f"; {NOT_PERMUTED}" if p >= LEVEL else ", but better than permuted features"
        answer = f"{comparison} knowing {name}{meaning}"
    return Conclusion(
        "Do the features tell gain from loss, for pairs of tasks seen in other pairs?",
        answer,
        f"accuracy {score.values['accuracy']:.2f}; knowing {name} "
        f"{baseline.values['accuracy']:.2f} (difference {low:+.2f} to {high:+.2f}), random numbers "
        f"{numbers.values['accuracy']:.2f}; p = {p:.2f}",
    )


def _new_task(score: Score, scores: Scores) -> Conclusion:
    """Say whether the features rank the auxiliaries of a task never seen."""
    value, p = score.values["spearman"], score.p.get("spearman", math.nan)
    low, high = score.difference["spearman"]
    baseline = scores["unseen_main", "aux task", "mean gain"]
    # A nan compares as false: without a p-value no signal is claimed.
    if not (score.low["spearman"] > 0 and p < LEVEL):
        answer = "no signal for ranking that these tasks could show"
        if score.low["spearman"] > 0:
            answer += f"; {NOT_PERMUTED}"
    else:
        more = "more" if low > 0 else "no more"
        answer = f"carries signal for ranking, {more} than the auxiliary's gains elsewhere"
    return Conclusion(
        "Do they rank the auxiliaries of a task that was never trained with others?",
        answer,
        f"rank correlation {value:.2f} ({score.low['spearman']:.2f} to "
        f"{score.high['spearman']:.2f}), p = {p:.2f}; the auxiliary's mean gain elsewhere "
        f"{baseline.values['spearman']:.2f} (difference {low:+.2f} to {high:+.2f})",
    )
