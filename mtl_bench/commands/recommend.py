"""`mtl-bench recommend`: which auxiliary to use, from runs that need not be finished.

It trains nothing. With `--replay` it runs policies on finished curves as if these were trained.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtl_bench.commands.shared.arguments import add_mains, add_metric
from mtl_bench.commands.shared.tables import print_table
from mtl_bench.errors import UserError
from mtl_bench.files import write_atomically

HELP = "recommend an auxiliary from runs so far, or replay policies on finished ones"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", nargs="?", help="name or folder of a sweep")
    add_mains(parser)
    parser.add_argument("--record", help="sweep, or `published`, whose gains tell of candidates")
    parser.add_argument(
        "--replay", metavar="SOURCE", help="finished sweep or result set, or `published`"
    )
    parser.add_argument("--policy", nargs="+", metavar="NAME", help="to replay (default: all)")
    parser.add_argument(
        "--budget", type=float, help="of a replay: share of all steps (default: 0.25)"
    )
    parser.add_argument("--no-record", action="store_true", help="replay as if nothing were known")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there, too")
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="of a replay: how reliable P(helps) is"
    )
    add_metric(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print recommendations, or the scores of policies."""
    if (arguments.sweep is None) == (arguments.replay is None):
        raise UserError("Give a sweep, or `--replay <sweep or published>`, and not both.")
    _check_options(arguments)
    result: Any = _replay(arguments) if arguments.replay else _recommend(arguments)
    if arguments.json:
        write_atomically(arguments.json, json.dumps(result, indent=1) + "\n")
        print(f"\nwritten: {arguments.json}")


def _check_options(arguments: argparse.Namespace) -> None:
    """Raise an error if an option has no effect, or no meaning."""
    of_replay = {"policy": None, "budget": None, "no_record": False, "figures": None}
    foreign = [key for key, value in of_replay.items() if getattr(arguments, key) != value]
    if arguments.sweep and foreign:
        raise UserError(f"--{foreign[0].replace('_', '-')} belongs to --replay.")
    if arguments.replay and arguments.record:
        raise UserError("--record belongs to a sweep; a replay's is that of its other main tasks.")
    if arguments.budget is not None and not 0 < arguments.budget <= 1:
        raise UserError(f"--budget {arguments.budget:g} is not a share above 0, at most 1.")


def _recommend(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print an answer for each main task; return them as plain values."""
    from mtl_bench.commands.shared.answers import answers, evidence
    from mtl_bench.commands.shared.recommend_text import show

    own = evidence(arguments.sweep, arguments.metric)
    record = evidence(arguments.record, arguments.metric).gains() if arguments.record else None
    result = answers(own, arguments.main, record)
    if arguments.record:
        nothing = f"{arguments.record} has no gains of these candidates with other main tasks."
        result = [
            each if each.informed else replace(each, remarks=[*each.remarks, nothing])
            for each in result
        ]
    for answer in result:
        show(answer)
    return [answer.plain() for answer in result]


def _replay(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Print the scores of policies; return them as plain values."""
    from mtl_bench.commands.shared.answers import evidence
    from mtl_bench.commands.shared.policies import policies
    from mtl_bench.commands.shared.replays import replayed

    chosen = policies(arguments.policy)
    left_out, results = replayed(
        evidence(arguments.replay, arguments.metric),
        chosen,
        0.25 if arguments.budget is None else arguments.budget,
        not arguments.no_record,
        arguments.main,
    )
    if left_out:
        print(f"Left out, since not all is trained to the end: {', '.join(left_out)}.")
    if arguments.figures:
        from mtl_bench.report.reliability import reliability_curve  # matplotlib: 1 s

        for result, replays in results:
            if chosen[result["policy"]].uses_model:
                reliability_curve(result["policy"], replays).write(arguments.figures)
    columns = ("decision_gain", "regret", "cost", "spearman", "coverage", "brier")
    rows = []
    for each, _ in results:
        row = {name: "-" if each[name] is None else f"{each[name]:.2f}" for name in columns}
        if each["decision_gain_width"] is not None:
            row["decision_gain"] += f" ± {each['decision_gain_width']:.2f}"
        rows.append({"policy": each["policy"] + " *" * each["default"]} | row)
    count = len(results[0][1])
    of = f"Means over {count} main tasks (± their 95 % interval)" if count > 1 else "One main task"
    print(f"{of}; gain of the decision (none: 0) and regret in percent, cost as a share.")
    truth = (
        "gains are those of `mtl-bench gains`, over the seeds that policies do not train, if any"
    )
    print_table(rows, "table", ["* the default", truth])
    return [result for result, _ in results]
