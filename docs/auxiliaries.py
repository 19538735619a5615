"""The tables of docs/auxiliaries.md, from result sets; `docs/regenerate.py` calls them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

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

Scores = Mapping[int, float]


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


def cell(gain: PairedGain) -> str:
    """Return a gain with its interval."""
    return f"{gain.mean:+.1f} ({gain.low:+.1f} to {gain.high:+.1f})" if gain.seeds > 1 else ""


def mean(values: Scores) -> str:
    """Return the mean of scores: in percent where they are shares."""
    average = sum(values.values()) / len(values)
    return f"{100 * average:.1f}" if average <= 1 else f"{average:.1f}"


def options() -> Iterator[Sequence[str]]:
    """Yield a row for each option: what it does to two pairs."""
    runs = scores("task_options")
    yield ["option", "mwe+chu: F1, against none", "pos+chu: F1, against none"]
    for variant, title in OPTIONS.items():
        row = [title]
        for main in ("mwe", "pos"):
            tasks = "+".join(sorted((main, "chu")))
            own, plain = runs.get((main, tasks, variant, "f1")), runs[main, tasks, "", "f1"]
            if own is None:
                row.append("")
            elif variant:
                row.append(f"{mean(own)}, {cell(paired_gain(plain, own, 1))} %")
            else:
                single = runs[main, main, "", "f1"]
                alone = cell(paired_gain(single, own, 1))
                row.append(f"{mean(own)} (alone {mean(single)}; gain {alone} %)")
        yield row


def private_baselines() -> str:
    """Return the gains of pairs over single tasks that have the private layer, too."""
    runs, texts = scores("task_options"), []
    variant = "model.private_layers.main=1"
    for main in ("mwe", "pos"):
        tasks = "+".join(sorted((main, "chu")))
        single, pair = runs.get((main, main, variant, "f1")), runs.get((main, tasks, variant, "f1"))
        if single and pair:
            texts.append(
                f"{main} alone with the layer {mean(single)}, gain of chu over that "
                f"{cell(paired_gain(single, pair, 1))} %"
            )
    return "; ".join(texts) + "."


def kinds() -> Iterator[Sequence[str]]:
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
        yield [task, aux, description.title, mean(single), mean(pair), cell(gain)]


def decodings() -> Iterator[Sequence[str]]:
    """Yield a row for each task and decoding."""
    runs = scores("decodings")
    yield ["task", "decoding", "F1", "against greedy, %", "span F1", "against greedy, %"]
    by_decoding: dict[tuple[str, str], str] = {}
    for task, _, variant, _ in runs:
        name = next((each for each in DECODINGS if f"decoding_{each}" in variant), "greedy")
        by_decoding[task, name] = variant
    for task, name in sorted(by_decoding, key=lambda key: (key[0], DECODINGS.index(key[1]))):
        row = [task, name]
        for metric in ("f1", "span_f1"):
            own = runs.get((task, task, by_decoding[task, name], metric))
            greedy = runs.get((task, task, by_decoding[task, "greedy"], metric))
            row.append(mean(own) if own else "")
            both = own and greedy and name != "greedy"
            row.append(cell(paired_gain(greedy, own, 1)) if both and own and greedy else "")
        yield row


def tuned() -> Iterator[Sequence[str]]:
    """Yield a row for each task set of the tunings in docs/results (`tuned.json` of a sweep)."""
    yield ["main", "tasks", "untuned", "gain, %", "tuned", "gain, %", "options of the best trial"]
    for file in sorted((Path(__file__).parent / "results").glob("tuned_*.json")):
        for main, sets in json.loads(file.read_text()).items():
            untuned, best = (
                [{int(k): v for k, v in each[kind].items()} for each in sets]
                for kind in ("untuned", "tuned")
            )
            for number, each in enumerate(sets):
                row = [main, "+".join(each["tasks"])]
                for runs in (untuned, best):
                    gain = cell(paired_gain(runs[0], runs[number], 1)) if number else ""
                    row += [mean(runs[number]), gain]
                yield [*row, ", ".join(f"`{option}`" for option in each["overrides"])]
