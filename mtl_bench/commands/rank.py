"""`mtl-bench rank`: which auxiliary to try, by a study's predictor, from single runs alone."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from mtl_bench.commands.shared.arguments import add_metric
from mtl_bench.commands.shared.study_pipeline import DEFAULT_VARIANT
from mtl_bench.commands.shared.tables import Row, add_format, print_table
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import RunStatus, read_sweep, sweep_folder

HELP = "rank auxiliary tasks by a study's predictor, from single runs alone"
NOTE = (
    "Score: above 0 the predictor predicts that the auxiliary helps. Mean gain elsewhere: of the "
    "auxiliary, percent, over the main tasks of the study. Which of the two to trust, if any, "
    "stands in the conclusions of the study (study.json)."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("predictor", type=Path, help="predictor.json of a study")
    parser.add_argument(
        "sweep", type=sweep_folder, help="name or folder of a sweep with single runs of the tasks"
    )
    parser.add_argument("--main", help="only for this main task")
    parser.add_argument("--variant", help="of the single runs: overrides that they share")
    add_metric(parser)
    add_format(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the auxiliaries of each main task, the most promising first."""
    from mtl_bench.analysis.data.frame import has_result, values_frame
    from mtl_bench.analysis.data.single_runs import features_of, single_runs
    from mtl_bench.analysis.measurements import loss_over
    from mtl_bench.analysis.predictors.predictor_file import load  # scikit-learn: 1 s

    predictor = load(arguments.predictor)
    if arguments.metric and arguments.metric != predictor.metric:
        raise UserError(
            f"{arguments.predictor}: learned gains of {predictor.metric or 'primary metrics'}. For "
            f"others: `mtl-bench study <sweep> --metric {arguments.metric}`."
        )
    statuses = read_sweep(arguments.sweep)
    singles = [status for status in statuses if has_result(status) and len(status.run.tasks) == 1]
    singles = _one_variant(singles, arguments.variant)
    if predictor.looks_at_losses and loss_over(singles) != predictor.loss_over:
        print(
            f"warning: the predictor learned from training losses over {predictor.loss_over}, and "
            f"those of these runs are over {loss_over(singles)} (model.loss_over): features of "
            "their curves mean other things, and scores may be worthless.",
            file=sys.stderr,
        )
    values, problems = values_frame(arguments.sweep, singles)
    if problems:
        raise UserError("\n".join(problems))
    features = features_of(single_runs(values), predictor.families)
    mains = sorted(features) if arguments.main is None else [arguments.main]
    if not set(mains) <= features.keys() or len(features) < 2:
        raise UserError(
            f"{arguments.sweep}: has finished single runs of "
            f"{', '.join(sorted(features)) or 'no task'}. Ranking the auxiliaries of "
            f"{', '.join(mains) or 'a task'} takes its own and that of another task."
        )
    pairs = [(main, aux) for main in mains for aux in sorted(features) if aux != main]
    results = zip(pairs, predictor.scores(pairs, features), strict=True)
    rows: list[Row] = [
        {
            "main": main,
            "aux": aux,
            "score": round(score, 4),
            "mean gain elsewhere": predictor.mean_gain(main, aux),
        }
        for (main, aux), score in sorted(results, key=lambda each: (each[0][0], -each[1]))
    ]
    print_table(rows, arguments.format, [NOTE])


def _one_variant(statuses: Sequence[RunStatus], variant: str | None) -> list[RunStatus]:
    """Return the runs of a variant: the one chosen, else the one with the most tasks.

    Raises:
        UserError: there is no such variant, or several have as many tasks.
    """
    tasks: dict[str, set[str]] = defaultdict(set)
    for status in statuses:
        tasks[status.run.variant or DEFAULT_VARIANT] |= set(status.run.tasks)
    listing = "".join(f"\n  {name}: {', '.join(sorted(of))}" for name, of in sorted(tasks.items()))
    most = max(map(len, tasks.values()), default=0)
    largest = [name for name, of in tasks.items() if len(of) == most]
    if variant is None and len(largest) > 1:
        raise UserError(
            "single runs of several variants are not mixed; choose one with `--variant`:" + listing
        )
    name = variant or next(iter(largest), DEFAULT_VARIANT)
    if name not in tasks and variant:
        raise UserError(f"--variant {variant}: there are no single runs of it. There are:{listing}")
    if len(tasks) > 1 and not variant:
        print(f"variant: {name}, which has the most tasks (`--variant` chooses)", file=sys.stderr)
    return [status for status in statuses if (status.run.variant or DEFAULT_VARIANT) == name]
