"""The files of a study: written for spreadsheets and scripts, see docs/study.md."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy
import scipy
import sklearn

from mtl_bench.analysis.evaluation.metrics import METRICS
from mtl_bench.analysis.evaluation.scoring import TESTED, Score
from mtl_bench.analysis.study import Study
from mtl_bench.files import write_atomically
from mtl_bench.paper import published

STUDY = "study.json"
GAINS = (
    *("main", "aux", "seeds", "single_f1", "pair_f1", "points", "gain", "late", "sd", "floor"),
    *("error", "low", "high", "verdict"),
)
SCORES = (
    *("protocol", "features", "model", "columns", *METRICS),
    *(f"{metric}_{end}" for metric in METRICS for end in ("low", "high")),
    *(f"{metric}_margin_{end}" for metric in TESTED for end in ("low", "high")),
    *(f"{metric}_p" for metric in TESTED),
    *("paper_accuracy", "paper_f1", "difference_accuracy", "difference_f1"),
)


def settings_of(folder: Path) -> list[str]:
    """Return the overrides that the study in a folder was made with; none if there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return [str(each) for each in json.loads((folder / STUDY).read_text("utf-8"))["overrides"]]
    return []


def write(study: Study, folder: Path, overrides: Sequence[str] = ()) -> None:
    """Write the tables of a study, made with some overrides, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(
        folder / "gains.csv",
        GAINS,
        (
            [getattr(gain, name) for name in GAINS]
            for gain in (*study.evidence.gains, *study.evidence.sets)
        ),
    )
    names = list(next(iter(study.features.values()), {}))
    write_csv(
        folder / "features.csv",
        ["task", *names],
        ([task, *(of[n] for n in names)] for task, of in sorted(study.features.items())),
    )
    write_csv(folder / "scores.csv", SCORES, map(score_cells, study.scores))
    paper = published.table4() if study.evidence.published else {}
    ordered = sorted(study.coefficients.items(), key=lambda item: -abs(item[1]))
    write_csv(
        folder / "coefficients.csv",
        ["feature", "role", "coefficient", "paper", "difference"],
        (
            [*column, value, paper.get(column), value - paper[column] if column in paper else None]
            for column, value in ordered
        ),
    )
    fields = ("section", "claim", "test", "found", "verdict")
    write_csv(
        folder / "claims.csv", fields, ([getattr(c, n) for n in fields] for c in study.claims)
    )
    for stale in ("early.csv", "predictor.json"):
        (folder / stale).unlink(missing_ok=True)
    if study.early:
        write_csv(
            folder / "early.csv",
            ["looked_at", "percent_of_run", "cost_percent", *SCORES],
            ([e.looked_at, e.percent, e.cost, *score_cells(e.score)] for e in study.early),
        )
    content = {
        "source": study.evidence.source,
        "overrides": list(overrides),
        "refused": study.refused,
        "metric": study.evidence.metric,
        "pairs": len(study.evidence.gains),
        "gains_above_0": sum(gain.gain > 0 for gain in study.evidence.gains),
        "missing": list(study.evidence.missing),
        "left_out": [" ".join(column) for column in study.left_out],
        "ceiling": dict(study.ceiling),
        "answers": [asdict(answer) for answer in study.answers],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomically(folder / STUDY, text)


def score_cells(score: Score) -> list[object]:
    """Return the cells of a row of scores.csv."""
    ends = [score_end.get(m) for m in METRICS for score_end in (score.low, score.high)]
    margins = [end for m in TESTED for end in score.margin.get(m, (None, None))]
    printed = [score.paper.get(m) for m in ("accuracy", "f1")]
    differences = [
        score.values[m] - score.paper[m] if m in score.paper else None for m in ("accuracy", "f1")
    ]
    return [
        *(score.protocol, score.features, score.model, score.columns),
        *(score.values.get(m) for m in METRICS),
        *ends,
        *margins,
        *(score.p.get(m) for m in TESTED),
        *printed,
        *differences,
    ]


def write_csv(file: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table; None and nan become empty cells."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(["" if _is_empty(cell) else cell for cell in row] for row in rows)


def _is_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


class Remembered:
    """Does the parts of an evaluation once: results lie in a folder, by what they depend on."""

    def __init__(self, folder: Path, depends_on: str) -> None:
        """Take the folder, and all that decides the results."""
        self.folder = folder
        code = [file.read_bytes() for file in sorted(Path(__file__).parent.rglob("*.py"))]
        versions = f"{numpy.__version__} {scipy.__version__} {sklearn.__version__}"
        told = f"{depends_on} {versions}".encode()
        self.key = hashlib.sha256(told + b"".join(code)).hexdigest()

    def __call__(self, name: str, job: Callable[[], list[Score]]) -> list[Score]:
        """Return the result of a part: read, or computed and written."""
        digest = hashlib.sha256(f"{self.key} {name}".encode()).hexdigest()[:16]
        file = self.folder / f"{digest}.json"
        with suppress(OSError, ValueError, TypeError):  # not there, or damaged
            return [Score(**row) for row in json.loads(file.read_text("utf-8"))]
        scores = job()
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(score) for score in scores])
        write_atomically(file, text)
        return scores
