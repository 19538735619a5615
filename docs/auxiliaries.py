"""The tables of docs/auxiliaries.md, from result sets; `docs/regenerate.py` calls them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from mtl_bench.analysis.evaluation.permutation import holm
from mtl_bench.analysis.gains.paired_scores import PairedGain, paired_gain
from mtl_bench.runs.record import Metric
from mtl_bench.runs.result_sets import packaged, unpacked
from mtl_bench.runs.sweep_folder import read_sweep

SETS = ("task_options", "auxiliary_kinds", "decodings")
"""Result sets of several variants or few pairs, of which no other page has tables."""

OPTIONS = {
    "": "none",
    "sampler=annealed": "`sampler=annealed`",
    "sampler=weighted": "`sampler=weighted`, .8 main",
    "loss_weights=uncertainty": "`loss_weights=uncertainty`",
    "loss_weights.main=3": "`+loss_weights.main=3`",
    "task_lr.chu=0.001": "`+task_lr.chu=0.001`",
    "model.private_layers.main=1": "`+model.private_layers.main=1`",
    "model.private_layers.chu=1,model.private_layers.main=1": "the same for both tasks",
}
"""Variants of the runs, and how a command names them."""

DECODINGS = ("greedy", "constrained", "crf")
NOT_OPTIONS = ("main=", "experiment=", "embeddings=", "optimizer=", "model.dropout=")

LEVEL = 0.05
"""Of the tests of a table, all together."""

Scores = Mapping[int, float]
Row = Sequence[str | PairedGain]


@cache
def scores(name: str) -> dict[tuple[str, str, str, str], dict[int, float]]:
    """Return the final metrics of a result set by seed, by task, tasks of the run, variant, metric.

    Variants are named by what is not the same in all runs.
    """
    result: dict[tuple[str, str, str, str], dict[int, float]] = {}
    for status in read_sweep(unpacked(packaged()[name])):
        if status.record is None:
            continue
        parts = status.run.variant.split(",")
        variant = ",".join(part for part in parts if not part.startswith(NOT_OPTIONS))
        for task, record in status.record.tasks.items():
            for metric in record.metrics:
                key = (task, "+".join(status.run.tasks), variant, metric)
                if metric in record.final:
                    result.setdefault(key, {})[status.run.seed] = record.final[metric]
    return result


@cache
def primary(name: str, task: str) -> tuple[str, Metric]:
    """Return name and description of a task's primary metric."""
    for status in read_sweep(unpacked(packaged()[name])):
        if status.record and task in status.record.tasks:
            record = status.record.tasks[task]
            return record.primary, record.metrics[record.primary]
    raise KeyError(task)


def as_text(rows: Iterable[Row]) -> list[Sequence[str]]:
    """Return rows of text: gains with their intervals, bold if shown after Holm's correction."""
    rows = list(rows)
    gains = [cell for row in rows for cell in row if isinstance(cell, PairedGain)]
    shown = {
        id(gain)
        for gain, p in zip(gains, holm([each.p for each in gains]), strict=True)
        if p < LEVEL
    }

    def text(cell: str | PairedGain) -> str:
        if isinstance(cell, str) or cell.seeds < 2:
            return cell if isinstance(cell, str) else ""
        mark = "**" if id(cell) in shown else ""
        return f"{mark}{cell.mean:+.1f}{mark} ({cell.low:+.1f} to {cell.high:+.1f})"

    return [[text(cell) for cell in row] for row in rows]


def mean(values: Scores) -> str:
    """Return the mean of scores, if there are some: in percent where they are shares."""
    if not values:
        return ""
    average = sum(values.values()) / len(values)
    return f"{100 * average:.1f}" if average <= 1 else f"{average:.1f}"


def options() -> Iterator[Row]:
    """Yield a row for each option: what it does to two pairs."""
    runs = scores("task_options")
    yield ["option", "mwe+chu: F1", "against none, %", "pos+chu: F1", "against none, %"]
    for variant, title in OPTIONS.items():
        row: list[str | PairedGain] = [title]
        for main in ("mwe", "pos"):
            tasks = "+".join(sorted((main, "chu")))
            own, plain = runs[main, tasks, variant, "f1"], runs[main, tasks, "", "f1"]
            row += [mean(own), paired_gain(plain, own, 1) if variant else ""]
        yield row


def layers() -> Iterator[Row]:
    """Yield the gains of two pairs, with the private layer in pair and single, or in neither."""
    runs = scores("task_options")
    yield ["main", "option", "alone", "with chu", "gain, %"]
    for main in ("mwe", "pos"):
        for variant in ("", "model.private_layers.main=1"):
            single = runs[main, main, variant, "f1"]
            pair = runs[main, "+".join(sorted((main, "chu"))), variant, "f1"]
            gain = paired_gain(single, pair, 1)
            yield [main, OPTIONS[variant], mean(single), mean(pair), gain]


def kinds() -> Iterator[Row]:
    """Yield a row for each pair of tasks of different kinds."""
    runs = scores("auxiliary_kinds")
    yield ["main", "aux", "metric", "alone", "with aux", "gain, %"]
    for (task, tasks, variant, metric), pair in sorted(runs.items()):
        name, description = primary("auxiliary_kinds", task)
        single = runs.get((task, task, variant, metric))
        if "+" not in tasks or metric != name or single is None:
            continue
        aux = "+".join(each for each in tasks.split("+") if each != task)
        gain = paired_gain(single, pair, 1 if description.higher_is_better else -1)
        yield [task, aux, description.title, mean(single), mean(pair), gain]


def decodings() -> Iterator[Row]:
    """Yield a row for each task and decoding."""
    runs = scores("decodings")
    yield ["task", "decoding", "F1", "against greedy, %", "span F1", "against greedy, %"]
    by_decoding: dict[tuple[str, str], str] = {}
    for task, _, variant, _ in runs:
        name = next((each for each in DECODINGS if f"decoding_{each}" in variant), "greedy")
        by_decoding[task, name] = variant
    for task, name in sorted(by_decoding, key=lambda key: (key[0], DECODINGS.index(key[1]))):
        row: list[str | PairedGain] = [task, name]
        for metric in ("f1", "span_f1"):
            own = runs.get((task, task, by_decoding[task, name], metric))
            greedy = runs.get((task, task, by_decoding[task, "greedy"], metric))
            row.append(mean(own) if own else "")
            both = own and greedy and name != "greedy"
            row.append(paired_gain(greedy, own, 1) if both else "")
        yield row


def tuned() -> Iterator[Row]:
    """Yield a row for each task set of the tunings in docs/results (`tuned.json` of a sweep)."""
    yield ["main", "tasks", "untuned", "gain, %", "tuned", "gain, %", "options of the best trial"]
    for file in sorted((Path(__file__).parent / "results").glob("tuned_*.json")):
        for main, sets in json.loads(file.read_text()).items():
            untuned, best = (
                [{int(k): v for k, v in each[kind].items()} for each in sets]
                for kind in ("untuned", "tuned")
            )
            for number, each in enumerate(sets):
                row: list[str | PairedGain] = [main, "+".join(each["tasks"])]
                for runs in (untuned, best):
                    gain = paired_gain(runs[0], runs[number], 1) if number else ""
                    row += [mean(runs[number]), gain]
                yield [*row, ", ".join(f"`{option}`" for option in each["overrides"])]
