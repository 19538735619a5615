"""The files of a study: written for spreadsheets and scripts, see docs/study.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from mtl_bench.analysis.evaluation.metrics import METRICS
from mtl_bench.analysis.evaluation.permutation import TESTED
from mtl_bench.analysis.evaluation.scoring import Score
from mtl_bench.analysis.gains.gain import Gain
from mtl_bench.analysis.section import Section
from mtl_bench.analysis.study import Study
from mtl_bench.files import write_atomically

STUDY = "study.json"


def overrides_of(folder: Path) -> list[str]:
    """Return the overrides that the study in a folder was made with; none if there is none."""
    return [str(each) for each in _list_of(folder, "overrides")]


def _list_of(folder: Path, key: str) -> list[object]:
    """Return a list that the study in a folder has in its file; empty if there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return list(json.loads((folder / STUDY).read_text("utf-8"))[key])
    return []


def gains_table(study: Study) -> pd.DataFrame:
    """Return a row for each gain; those that are undefined have an empty percentage."""
    return pd.DataFrame(
        [asdict(gain) for gain in study.measurements.all_gains],
        columns=list(Gain.__dataclass_fields__),
    )


def features_table(study: Study) -> pd.DataFrame:
    """Return a row for each task."""
    rows = [{"task": task, **values} for task, values in sorted(study.features.items())]
    return pd.DataFrame(rows, columns=None if rows else ["task"])


def scores_table(scores: Sequence[Score]) -> pd.DataFrame:
    """Return a row for each score."""
    return pd.DataFrame([_score_row(score) for score in scores])


def _score_row(score: Score) -> dict[str, object]:
    row: dict[str, object] = {
        name: getattr(score, name) for name in ("held_out", "features", "model", "columns")
    }
    row |= {metric: score.values.get(metric) for metric in METRICS}
    for metric in METRICS:
        row |= {f"{metric}_low": score.low.get(metric), f"{metric}_high": score.high.get(metric)}
    for metric in TESTED:
        low, high = score.difference.get(metric, (None, None))
        row |= {f"{metric}_difference_low": low, f"{metric}_difference_high": high}
    for metric in TESTED:
        row |= {f"{metric}_p": score.p.get(metric)}
        row |= {f"{metric}_p_corrected": score.p_corrected.get(metric)}
    return row | {f"{m}_monte_carlo": score.monte_carlo.get(m) for m in ("accuracy", "f1")}


def early_table(study: Study) -> pd.DataFrame:
    """Return a row for each score from a part of the runs."""
    return pd.DataFrame(
        [
            {"runs": e.runs, "percent_of_run": e.percent, "cost_percent": e.cost}
            | {"learning_cost_percent": e.learning_cost}
            | _score_row(e.score)
            for e in study.early
        ]
    )


def write_study(
    study: Study, sections: Sequence[Section], folder: Path, overrides: Sequence[str] = ()
) -> None:
    """Write the tables of a study and its sections, made with some overrides, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "gains": gains_table(study),
        "features": features_table(study),
        "scores": scores_table(study.scores),
        "early": early_table(study),
    }
    tables |= {table.name: table.frame for section in sections for table in section.tables}
    tables = {name: frame for name, frame in tables.items() if len(frame.columns)}
    # Files of an earlier study with other settings would be taken for those of this one.
    for stale in ("predictor.json", *(f"{name}.csv" for name in _list_of(folder, "tables"))):
        # Names are read from a file: by their last part they cannot lead out of the folder.
        (folder / Path(stale).name).unlink(missing_ok=True)
    for name, frame in tables.items():
        write_csv(folder / f"{name}.csv", frame)
    content = {
        "source": study.measurements.source,
        "overrides": list(overrides),
        "tables": list(tables),
        "no_prediction": study.no_prediction,
        "metric": study.measurements.metric_title,
        "budget": study.measurements.budget,
        "pairs": len(study.measurements.gains),
        "gains_above_0": sum(gain.gain_percent > 0 for gain in study.measurements.gains),
        "missing": list(study.measurements.missing),
        "left_out": [" ".join(column) for column in study.left_out],
        "ceiling": dict(study.ceiling),
        "conclusions": [asdict(conclusion) for conclusion in study.conclusions],
    }
    write_atomically(folder / STUDY, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_csv(file: Path, frame: pd.DataFrame) -> None:
    """Write a table; None and nan become empty cells."""
    write_atomically(file, frame.to_csv(index=False, lineterminator="\n"))
