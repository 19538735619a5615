"""How a command ends: 0 if all is done, else why not.

1: a run failed. 2: the command line or the data must be fixed. 3: another process works on what is
left. 128 + n: signal n interrupted it; re-run the command to resume.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mtl_bench.runs.sweep_folder import RunStatus

FAILED, USAGE, ELSEWHERE, INTERRUPTED = 1, 2, 3, 128

# Hydra keeps what a sweeper returns to itself, so that the sweeper leaves its result here.
_unfinished: list[RunStatus] = []
_code: list[int] = []


def clear_sweep() -> None:
    """Forget an earlier sweep of this process."""
    _unfinished.clear()
    _code.clear()


def sweep_ended(runs: Sequence[RunStatus], code: int = 0) -> None:
    """Note the runs of a sweep that has ended; those that are not finished decide its exit code.

    Args:
        runs: of the sweep.
        code: of the command if all of them are finished.
    """
    _code[:] = [code]
    _unfinished[:] = [status for status in runs if status.state != "finished"]


def sweep_exit_code() -> int:
    """Name the runs of the sweep that are not finished; return the exit code."""
    if not _unfinished:
        return _code[0] if _code else 0
    count = len(_unfinished)
    print(f"\n{count} run{'s are' if count > 1 else ' is'} not finished:", file=sys.stderr)
    for status in _unfinished:
        print(f"  {status.run.folder}: {status.problem or status.state}", file=sys.stderr)
    if all(status.state == "running" for status in _unfinished):
        return ELSEWHERE
    if all(map(_would_fail_again, _unfinished)):
        return USAGE
    print("Re-run the command to resume.", file=sys.stderr)
    return FAILED


def _would_fail_again(status: RunStatus) -> bool:
    """Return whether doing the same again would end the same."""
    return status.state == "damaged" or (status.problem or "").startswith("UserError")
