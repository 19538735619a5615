"""`mtl-bench recommend`: which auxiliary to use, from runs that need not be finished.

It trains nothing. With `--replay` it runs policies on finished curves as if these were trained.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtl_bench.commands.shared.arguments import add_metric
from mtl_bench.commands.shared.tables import print_table
from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically
from mtl_bench.runs.sweep_folder import RunStatus, read_sweep, sweep_folder

if TYPE_CHECKING:
    from mtl_bench.analysis.data.frame import StudiedMetric
    from mtl_bench.analysis.recommend.observations import SweepCurves

HELP = "recommend an auxiliary from runs so far, or replay policies on finished ones"
PUBLISHED = "published"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", nargs="?", help="name or folder of a sweep")
    parser.add_argument("--main", help="main task, or all (default: all that have runs)")
    parser.add_argument("--record", help="sweep, or `published`, whose gains tell of candidates")
    parser.add_argument("--replay", metavar="SOURCE", help="finished sweep, or `published`")
    parser.add_argument("--policy", nargs="+", metavar="NAME", help="to replay (default: all)")
    parser.add_argument(
        "--budget", type=float, default=0.25, help="of a replay: share of all steps"
    )
    parser.add_argument("--no-record", action="store_true", help="replay as if nothing were known")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there, too")
    add_metric(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print recommendations, or the scores of policies."""
    if (arguments.sweep is None) == (arguments.replay is None):
        raise UserError("Give a sweep, or `--replay <sweep or published>`, and not both.")
    result: Any = _replay(arguments) if arguments.replay else _recommend(arguments)
    if arguments.json:
        write_atomically(arguments.json, json.dumps(result, indent=1) + "\n")
        print(f"\nwritten: {arguments.json}")


def _recommend(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print an answer for each main task; return them as plain values."""
    from mtl_bench.analysis.recommend.model import BETA, Settings
    from mtl_bench.analysis.recommend.prior import priors
    from mtl_bench.analysis.recommend.recommendation import recommend
    from mtl_bench.commands.shared.recommend_text import show

    folder = sweep_folder(arguments.sweep)
    statuses = read_sweep(folder)
    curves, metrics = _curves(folder, statuses, arguments.metric)
    record, title = curves, "the sweep's other main tasks"
    if arguments.record:
        record, _ = _source(arguments.record, arguments.metric)
        title = arguments.record
    answers = []
    for main in _mains(arguments.main, curves, folder):
        prior = priors(_gains(record), main, curves[main].candidates)
        informed = any(prior.values())
        failed = _failed(statuses, main)
        settings = Settings(beta=BETA if informed else 0.0)
        answer = recommend(curves[main], metrics[main], prior, settings, failed)
        show(answer, metrics[main], failed)
        if informed:
            print(f"Gains with other main tasks are taken into account: {title}.")
        answers.append(answer.plain())
    return answers


def _replay(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print the scores of policies; return them as plain values."""
    from mtl_bench.analysis.recommend.model import BETA, Noise, Settings
    from mtl_bench.analysis.recommend.policies.base import Limits
    from mtl_bench.analysis.recommend.prior import priors
    from mtl_bench.analysis.recommend.replay import replay, summary
    from mtl_bench.commands.shared.policies import DEFAULT, policies

    curves, _ = _source(arguments.replay, arguments.metric)
    main = None if arguments.main == "all" else arguments.main
    mains = _mains(main, curves, Path(arguments.replay))
    gains = {} if arguments.no_record else _gains(curves)
    settings = Settings(beta=0.0 if arguments.no_record else BETA)
    limits = Limits(arguments.budget)
    results = []
    for name, policy in policies(arguments.policy).items():
        replays = [
            replay(
                policy, curves[each], priors(gains, each, curves[each].candidates), limits,
                Noise(), settings,
            )
            for each in mains
        ]  # fmt: skip
        results.append(summary(name, replays, name == DEFAULT))
    columns = ("decision_gain", "regret", "cost", "spearman", "coverage", "brier")
    rows = [
        {"policy": each["policy"] + " *" * each["default"]}
        | {name: "-" if each[name] is None else f"{each[name]:.2f}" for name in columns}
        for each in results
    ]
    print(f"Means over {len(mains)} main tasks; gain and regret in percent, cost as a share.")
    print_table(rows, "table", ["* the default"])
    return results


def _source(name: str, metric: str | None) -> tuple[dict[str, SweepCurves], Any]:
    """Return the curves of a sweep, or of the published runs."""
    if name == PUBLISHED:
        from mtl_bench.analysis.recommend.observations import sweep_curves
        from mtl_bench.paper.published_runs import published_measurements

        measured = published_measurements()
        return sweep_curves(measured.values, measured.metrics, measured.budget), measured.metrics
    folder = sweep_folder(name)
    return _curves(folder, read_sweep(folder), metric)


def _curves(
    folder: Path, statuses: Sequence[RunStatus], metric: str | None
) -> tuple[dict[str, SweepCurves], Mapping[str, StudiedMetric]]:
    """Return the curves of a sweep with one variant, by main task, and its metrics."""
    from mtl_bench.analysis.data.frame import studied_metrics, values_frame
    from mtl_bench.analysis.recommend.observations import sweep_curves

    variants = sorted({status.run.variant for status in statuses})
    if len(variants) > 1:
        raise UserError(
            f"{folder}: has runs of several variants: {', '.join(v or '(none)' for v in variants)}."
            " A recommendation compares runs that differ in their tasks only."
        )
    values, problems = values_frame(folder, statuses)
    for problem in problems:
        print(problem)
    metrics = studied_metrics(statuses, metric)
    budget = max(status.run.budgets[-1] for status in statuses)
    curves = sweep_curves(values, metrics, budget)
    if not curves:
        raise UserError(
            f"{folder}: a recommendation takes a main task alone and beside an auxiliary, trained "
            "at least to the first evaluation."
        )
    return curves, metrics


def _mains(main: str | None, curves: Mapping[str, SweepCurves], where: Path) -> list[str]:
    if main in (None, "all"):
        return list(curves)
    if main not in curves:
        raise UserError(f"{where}: has no gains of '{main}', but of {', '.join(curves)}.")
    return [str(main)]


def _gains(curves: Mapping[str, SweepCurves]) -> dict[tuple[str, str], float]:
    """Return late gains of pairs that are trained to the end, by main task and auxiliary."""
    return {
        (main, aux): gain
        for main, own in curves.items()
        for aux in own.candidates
        if (gain := own.gain(aux, 1.0, 99)) == gain
    }


def _failed(statuses: Sequence[RunStatus], main: str) -> list[str]:
    """Return the auxiliaries of a main task whose run failed."""
    names = set()
    for status in statuses:
        if status.state in ("failed", "damaged") and main in status.run.tasks:
            names.add("+".join(task for task in status.run.tasks if task != main))
    return sorted(names - {""})
