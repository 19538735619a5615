"""Arguments that several commands take."""

from __future__ import annotations

import argparse

from mtl_bench.tasks.readers.columns import SEPARATORS


def budget(text: str) -> float:
    """Return a budget of the command line."""
    number = float(text)
    if not number >= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of steps per task, from 1")
    return number


def at_least_1(text: str) -> int:
    """Return a count of the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add arguments for where a file has words and labels, where that is guessed wrongly."""
    parser.add_argument("--word", help="column (from 1) or key of the words; else guessed")
    parser.add_argument("--label", help="column, key or CoNLL-U field of the labels; else guessed")
    parser.add_argument(
        "--separator", choices=[*SEPARATORS, "comma"], help="of columns; else guessed"
    )


def add_metric(parser: argparse.ArgumentParser) -> None:
    """Add an argument for gains of another metric than the primary one."""
    parser.add_argument(
        "--metric", help="that gains are of, such as accuracy (default: each task's primary one)"
    )


def _names(text: str) -> tuple[str, ...]:
    """Return the names of a list, each once."""
    names = tuple(dict.fromkeys(filter(None, text.split(","))))
    if not names:
        raise argparse.ArgumentTypeError(f"'{text}' names no task")
    return names


def add_mains(parser: argparse.ArgumentParser) -> None:
    """Add an argument for some main tasks of a sweep."""
    parser.add_argument(
        "--main",
        type=_names,
        default=(),
        metavar="TASK[,TASK]",
        help="main tasks to show (default: all)",
    )


def add_study_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a study: what is studied, and how."""
    parser.add_argument(
        # Not `type=sweep_folder`, which would take `published` for a folder.
        "sweep",
        help="name or folder of a sweep, or `published`: the paper's own runs",
    )
    parser.add_argument("overrides", nargs="*", help="of conf/study.yaml, such as draws=200")
    add_metric(parser)
    parser.add_argument(
        "--budget", type=budget, help="steps per task to compare at (default: that of most gains)"
    )


def study_overrides(arguments: argparse.Namespace) -> list[str]:
    """Return the overrides of a study that its arguments stand for."""
    options = {"metric": arguments.metric, "budget": arguments.budget}
    return [*arguments.overrides, *(f"{key}={v}" for key, v in options.items() if v is not None)]
