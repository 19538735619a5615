"""`mtl-bench predict`: which auxiliary to try, by a study's predictor, from single runs alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from mtl_bench.commands.definitions import sweep_folder
from mtl_bench.commands.tables import Row, add_format, print_table
from mtl_bench.errors import UserError
from mtl_bench.runs.record import read_curve
from mtl_bench.runs.store import read_sweep

HELP = "rank auxiliary tasks by a study's predictor, from single runs alone"
NOTE = (
    "Score: above 0 the predictor says that the auxiliary helps. Mean gain elsewhere: of the "
    "auxiliary, percent, over the main tasks of the study. Which of the two to trust, if any, "
    "stands in the answers of the study (study.json)."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("predictor", type=Path, help="predictor.json of a study")
    parser.add_argument(
        "sweep", type=sweep_folder, help="name or folder of a sweep with single runs of the tasks"
    )
    parser.add_argument("--main", help="only for this main task")
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the auxiliaries of each main task, the most promising first."""
    from mtl_bench.meta.saved import load  # scikit-learn: 1 s
    from mtl_bench.meta.single import features_of, single_run

    predictor = load(arguments.predictor)
    runs = [
        run
        for run in read_sweep(arguments.sweep)
        if run.state == "finished" and len(run.planned.tasks) == 1
    ]
    variants = sorted({run.planned.variant or "(plain)" for run in runs})
    if len(variants) > 1:
        raise UserError(
            f"{arguments.sweep}: has single runs of several variants, which are not mixed:\n  "
            + "\n  ".join(variants)
        )
    singles = [single_run(run, read_curve(arguments.sweep / run.planned.folder)) for run in runs]
    features = features_of(singles, predictor.families)
    mains = sorted(features) if arguments.main is None else [arguments.main]
    if not set(mains) <= features.keys() or len(features) < 2:
        raise UserError(
            f"{arguments.sweep}: has finished single runs of "
            f"{', '.join(sorted(features)) or 'no task'}. Ranking the auxiliaries of "
            f"{', '.join(mains) or 'a task'} takes its own and that of another task."
        )
    pairs = [(main, aux) for main in mains for aux in sorted(features) if aux != main]
    scored = zip(pairs, predictor.scores(pairs, features), strict=True)
    ordered = sorted(scored, key=lambda each: (each[0][0], -each[1]))
    rows: list[Row] = [
        {
            "main": m,
            "aux": a,
            "score": round(score, 4),
            "mean gain elsewhere": predictor.record(m, a),
        }
        for (m, a), score in ordered
    ]
    print_table(rows, arguments.format, [NOTE])
