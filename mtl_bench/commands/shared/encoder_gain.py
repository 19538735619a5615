"""What a pretrained encoder itself gained, where runs with word vectors are on disk as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.gains.gain import signed
from mtl_bench.errors import UserError
from mtl_bench.runs.record import RECORD, Record
from mtl_bench.runs.record_reading import read_record
from mtl_bench.runs.sweep_folder import RunStatus


@dataclass(frozen=True)
class Alone:
    """Runs of a task alone that differ in their seeds only: folder of the sweep, final metric."""

    sweep: Path
    score: float
    budget: float


def encoder_gain(
    sweep: Path, statuses: Sequence[RunStatus], main: str, metric: StudiedMetric
) -> str | None:
    """Return what the encoder gained, as a sentence; None if it is not known.

    Args:
        sweep: folder of runs with a pretrained encoder; the sweeps beside it are searched.
        statuses: of its runs.
        main: task, trained alone in both.
        metric: that is compared, of the final evaluation.
    """
    records = [
        status.record
        for status in statuses
        if status.run.tasks == (main,) and status.record and status.record.status == "finished"
    ]
    longest = max((record.budget for record in records), default=0.0)
    records = [record for record in records if record.budget == longest]
    if not records or not all(map(is_pretrained, records)):
        return None
    own = fmean(record.tasks[main].final[metric.name] for record in records)
    others = [
        each
        for folder in sorted(sweep.absolute().parent.glob(f"*/{main}/**/"))
        if (each := _with_vectors(folder, records[0], main, metric.name))
    ]
    if not others:
        return None
    best = max(others, key=lambda each: metric.sign * each.score)
    gain = metric.scale * metric.sign * (own - best.score)
    points = f"{signed(gain)} points" if metric.is_share else f"{signed(gain, 3)} {metric.title}"
    return (
        f"The pretrained encoder itself: {points} for {main} alone, {metric.text(own)} after "
        f"{longest:,.6g} steps; word vectors {metric.text(best.score)} after {best.budget:,.6g} "
        f"({best.sweep.name}; both on {records[0].tasks[main].final_split})."
    )


def is_pretrained(record: Record) -> bool:
    """Return whether a run read a pretrained encoder."""
    groups = (record.config.get(group) for group in ("embeddings", "encoder"))
    return any(isinstance(group, dict) and bool(group.get("model")) for group in groups)


def _with_vectors(folder: Path, like: Record, main: str, metric: str) -> Alone | None:
    """Return the longest runs of a variant with word vectors, evaluated on the same sentences."""
    task = like.tasks[main]
    place = (task.final_split, task.sentences.get(task.final_split))
    records = []
    for file in folder.glob(f"seed*/{RECORD}"):
        try:
            record = read_record(file.parent)
        except (OSError, UserError):  # `mtl-bench status` says what is wrong with it
            continue
        if record is None or record.status != "finished" or is_pretrained(record):
            continue
        own = record.tasks[main]
        if (own.final_split, own.sentences.get(own.final_split)) == place and metric in own.final:
            records.append(record)
    if not records:
        return None
    budget = max(record.budget for record in records)
    scores = [record.tasks[main].final[metric] for record in records if record.budget == budget]
    sweep = next(place.parent for place in (folder, *folder.parents) if place.name == main)
    return Alone(sweep, fmean(scores), budget)
