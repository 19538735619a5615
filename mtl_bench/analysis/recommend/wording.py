"""A recommendation in sentences, for the terminal and the page."""

from __future__ import annotations

import shlex

from mtl_bench.analysis.recommend.history import History
from mtl_bench.analysis.recommend.recommendation import Recommendation
from mtl_bench.runs.duration import duration

UNSURE = 0.1
"""Probability to be the best above which another candidate is named."""

ENDED = {
    "regret": "The expected loss is below the limit (regret=).",
    "confidence": "The choice is as probable to be the best as was asked (confidence=).",
    "budget": "The budget is spent (budget=).",
    "seconds": "The next round would end after the time limit (max_seconds=).",
    "worth": "Nothing else is worth its cost.",
    "policy": "The policy asks for no more.",
    "done": "Everything is trained.",
    "score": "The main task alone scores too little.",
    "failed": "The single run, or every other, failed.",
}


def alone(answer: Recommendation) -> str:
    """Return what the main task scores without an auxiliary, on which split, after how much."""
    score = f"{answer.metric.text(answer.alone)} {answer.metric.title}"
    of = f" of {answer.budget:,.6g}" if answer.alone_trained < answer.budget else ""
    return f"{score} on {answer.split} after {answer.alone_trained:,.6g}{of} steps"


def verdict(answer: Recommendation) -> str:
    """Return the choice as a sentence, and what it is expected to lose."""
    metric = answer.metric
    unit = "points" if metric.is_share else f"of {metric.title}"
    if answer.choice is None:
        first = f"None of them: train {answer.main} alone."
    else:
        first = f"Recommended: {answer.choice}."
    regret = f"{answer.regret:.2f}" if metric.is_share else f"{answer.regret:.4g}"
    count = len(answer.rows)
    best = f"the best of the {count}, or none" if count > 1 else "the better of it and none"
    return f"{first} Expected loss against {best}: {regret} {unit}."


def price(answer: Recommendation) -> str:
    """Return what the answer cost, as a sentence."""
    percent = 100 * answer.cost
    share = f"{percent:.0f}" if percent >= 1 or not percent else f"{percent:.1f}"
    time = ""
    if answer.seconds and answer.cost:
        time = f", {duration(answer.seconds)} of about {duration(answer.seconds / answer.cost)}"
    return (
        f"Cost: {share} % of training all {answer.candidates} to the end with one seed "
        f"({answer.steps:,} steps{time})."
    )


def outlook(answer: Recommendation) -> str:
    """Return why the search ended, if there was one, and what more training would bring."""
    ended = ENDED.get(answer.ended or "", "")
    further = answer.further
    if further is None:
        return ended
    seeds = f" with {further.seeds} seeds" if further.seeds > 1 else ""
    return (
        f"{ended} Another {further.steps:,} steps ({further.aux} to {further.budget:,.6g}{seeds}) "
        f"would change the choice with probability {further.change:.2f}."
    ).strip()


def noise(answer: Recommendation) -> str:
    """Return what the intervals take for noise, and where that comes from."""
    percent = f"{answer.noise.of_gain:.1f} %"
    if answer.noise.source == "seeds":
        return f"A gain of one seed has a standard deviation of {percent}, by the seeds here."
    if answer.noise.source == "late evaluations":
        return (
            f"A gain of one seed is taken to have a standard deviation of {percent}, the scatter "
            "of late evaluations."
        )
    return f"How much is noise is not known yet: a standard deviation of {percent} is assumed."


def sentences(answer: Recommendation) -> list[str]:
    """Return the answer as sentences."""
    lines = [verdict(answer), price(answer)]
    if text := outlook(answer):
        lines.append(text)
    others = [row.aux for row in answer.rows if row.aux != answer.choice and row.best > UNSURE]
    if others:
        lines.append(f"Not settled: {', '.join(others)} may be better.")
    lines.append(noise(answer))
    if answer.informed:
        lines.append("Gains with other main tasks are taken into account.")
    if failed := answer.failed():
        lines.append(f"Failed: {', '.join(failed)}. `mtl-bench status` says why.")
    lines += answer.remarks
    if answer.arguments is not None:
        lines.append(f"Next: {next_command(answer)}")
    return lines


def next_command(answer: Recommendation) -> str:
    """Return the command that trains the choice to the end, and keeps its tagger."""
    aux = [f"aux=[{answer.choice.replace('+', ',')}]"] if answer.choice else []
    arguments = answer.arguments or ()
    return shlex.join(["python", "train.py", *arguments, f"main={answer.main}", *aux])


def round_text(history: History, observed: bool) -> str:
    """Return what is known after the last round of a search, as a line.

    Args:
        history: of the search.
        observed: whether a gain is known.
    """
    last, main = history.rounds[-1], history.main
    cost = f"{100 * history.cost(last.steps):.0f} % of all steps"
    if not observed:
        return f"{main}: {cost}; no gain is known yet"
    choice = last.choice or "none"
    return f"{main}: {cost}; best so far: {choice}, expected loss {last.regret:.1f} %"
