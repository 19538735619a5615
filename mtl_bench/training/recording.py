"""Fills in the facts of a record, and writes it whatever happens."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from mtl_bench.runs.provenance import now
from mtl_bench.runs.record import Record
from mtl_bench.training.callbacks.curves import Curves
from mtl_bench.training.signals import Interrupted


@contextmanager
def recorded(
    record: Record, curves: Curves, folder: Path, *, failures_only: bool = False
) -> Iterator[None]:
    """Write the record when the block ends: at its end, at an error, at an interruption.

    Args:
        record: to be filled in by the block.
        curves: of the run.
        folder: of the run.
        failures_only: write nothing if the block succeeds.
    """
    begin = time.monotonic()
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, Interrupted)
        record.status = "interrupted" if interrupted else "failed"
        record.error = {
            "type": type(error).__name__,
            "message": str(error),
            "traceback": traceback.format_exc(),
        }
        raise
    finally:
        record.steps_done = curves.step
        record.timings["wall_seconds"] = time.monotonic() - begin
        record.timings["ended"] = now()
        if record.error or not failures_only:
            record.write(folder, curves.rows)


def weights_sha256(weights: Mapping[str, Tensor]) -> str:
    """Return the sha256 over names and bytes of all weights."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
