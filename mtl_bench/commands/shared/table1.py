"""The paper's Table 1 beside the corpora here."""

from __future__ import annotations

import gzip
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from omegaconf import OmegaConf

from mtl_bench.commands.shared.definitions import corpus_of, definitions
from mtl_bench.commands.shared.tables import Row, print_table
from mtl_bench.config.compose import make_embeddings
from mtl_bench.config.tasks import conf_folder
from mtl_bench.errors import UserError
from mtl_bench.paper import published
from mtl_bench.runs.record import RECORD, Record
from mtl_bench.runs.record_reading import read_record
from mtl_bench.tasks.definition import is_here
from mtl_bench.tasks.fetch import mirror_folder
from mtl_bench.tasks.statistics import statistics
from mtl_bench.text.vocabulary import normalise

MAX_LENGTH = 28  # words; the paper's analysis looked at no more of a sentence
HEADINGS = {
    "size": "size",
    "labels": "labels",
    "tokens_per_type": "tok/typ",
    "oov_percent": "%OOV",
    "label_entropy": "H(y)",
    "frobenius_norm": "‖X‖F",
    "jsd": "JSD",
    "f1": "F1",
}
JSD_NOTE = (
    "JSD: of the bags of words of train and test, base 2, as the paper defines it. It deviates for "
    "every task, because the released code compared word ids of train with label ids of test, "
    "padding included, in natural logarithms, of which the largest divergence is 0.69."
)


def print_table1(records: Path, style: str) -> None:
    """Print Table 1: a row for each task of the paper that is here, itself or by a stand-in."""
    paper = published.table1()
    glove_words = _glove_words()
    f1 = _f1_of_single_runs(records)
    rows: list[Row] = []
    notes: list[str] = []
    tasks = definitions()
    for row, paper_row in paper.items():
        for name, task in tasks.items():
            if row not in (name, task.stands_in_for) or not is_here(task):
                continue
            corpus = normalise(corpus_of(name, task), lowercase=True)
            ours = statistics(corpus, glove_words or (lambda _: True), MAX_LENGTH)
            if glove_words is None:
                ours["oov_percent"] = None
            ours["f1"] = f1[name][0] if name in f1 else None
            if style in ("csv", "json"):
                rows += _long(name, ours, paper_row)
            else:
                rows.append(_wide(name, ours, paper_row, two_lines=style == "table"))
            notes += [f"* {name}: {task.deviation}"] if task.deviation else []
    if not rows:
        raise UserError(
            "none of the paper's corpora is here. `mtl-bench fetch` downloads those that can be."
        )
    if glove_words is None:
        notes.append("%OOV: the words of GloVe 6B are not here; `embeddings=glove` brings them.")
    notes += [
        "Each cell: here, then the paper. * more than one unit of the last printed digit off.",
        JSD_NOTE,
        *(f"F1 of {name}: {source}." for name, (_, source) in f1.items() if name in paper),
    ]
    print_table(rows, style, notes)


Numbers = Mapping[str, float | None]


def _long(name: str, ours: Numbers, paper: Mapping[str, float]) -> Iterator[Row]:
    """Yield a row for each statistic of a task."""
    for statistic in published.DECIMALS:
        own, paper_value = ours[statistic], paper[statistic]
        off = own is not None and published.deviates(statistic, own, paper_value)
        yield {"task": name, "statistic": statistic, "here": own, "paper": paper_value, "off": off}


def _wide(name: str, ours: Numbers, paper: Mapping[str, float], two_lines: bool) -> Row:
    """Return the row of a task; on two lines where a terminal is narrow."""
    cells: dict[str, str] = {"task": f"{name}\n  paper" if two_lines else name}
    for row in _long(name, ours, paper):
        statistic, own = str(row["statistic"]), row["here"]
        form = f",.{published.DECIMALS[statistic]}f"
        own_text = ("-" if own is None else format(own, form)) + "*" * bool(row["off"])
        paper_text = format(paper[statistic], form)
        cells[HEADINGS[statistic]] = (
            f"{own_text}\n{paper_text}" if two_lines else f"{own_text} / {paper_text}"
        )
    return cells


def _glove_words() -> Callable[[str], bool] | None:
    """Return a test for the words of GloVe 6B, or None if neither list nor vectors are here."""
    mirror = mirror_folder()
    vocabulary = mirror and mirror / "embeddings" / "glove6b_vocab.txt.gz"
    if vocabulary and vocabulary.is_file():
        return set(gzip.decompress(vocabulary.read_bytes()).decode().split("\n")).__contains__
    node: Any = OmegaConf.load(conf_folder() / "embeddings" / "glove.yaml")
    glove: Any = make_embeddings(node)
    if glove.is_here():
        has_vector: Callable[[str], bool] = glove.with_vector([])
        return has_vector
    return None


def _f1_of_single_runs(folder: Path) -> dict[str, tuple[float, str]]:
    """Return the F1 (percent, mean over seeds) of tasks trained alone, and where it is from.

    Runs count that were evaluated as the paper's (`experiment=eacl2017`). Of several schedules and
    variants the one with the most steps is taken.
    """
    by_task: dict[str, dict[tuple[int, Path], list[Record]]]
    by_task = defaultdict(lambda: defaultdict(list))
    for file in sorted(folder.rglob(RECORD)):
        try:
            record = read_record(file.parent)
        except UserError as error:
            print(f"note: {error}", file=sys.stderr)
            continue
        if (
            record
            and record.status == "finished"
            and len(record.tasks) == 1
            and record.setting("data.drop_last")  # evaluated as the paper did
            and all("f1" in task.final for task in record.tasks.values())
        ):
            by_task[next(iter(record.tasks))][record.steps_done, file.parents[1]].append(record)
    best = {}
    for name, variants in by_task.items():
        (steps, place), records = max(variants.items(), key=lambda item: item[0])
        f1 = 100 * fmean(record.tasks[name].final["f1"] for record in records)
        best[name] = (f1, f"{len(records)} run(s) of {steps:,} steps in {place}")
    return best
