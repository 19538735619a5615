"""Wordings that several parts share."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def did_you_mean(name: str, possible: Sequence[str]) -> str:
    """Return a question that names what is spelled alike; empty where nothing is.

    >>> did_you_mean("optimiser", ["optimizer", "encoder"])
    ' Did you mean optimizer?'
    """
    close = difflib.get_close_matches(name, possible, n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def no_such_task(name: str, possible: Sequence[str]) -> str:
    """Return what to say of a task that there is not.

    Args:
        name: that was typed.
        possible: names of tasks.
    """
    return (
        f"there is no task '{name}'.{did_you_mean(name, possible)}\n"
        f"Possible: {', '.join(possible)}.\n"
        "For a task of your own, write a yaml (see CONTRIBUTING.md) and name its folder in "
        "MTL_BENCH_TASKS."
    )


def no_such_key(key: str) -> str:
    """Return what to say of a key that `+key=...` added and nothing reads."""
    return (
        f"{key}: there is no such key, and nothing would read it. `python train.py --help` lists "
        "the keys."
    )
