"""A sweep in one process and in two, and what a sweep and a job cost before they train.

python -m benchmarks.sweep
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
TASKS = ["syn_chu", "syn_pos", "syn_sem", "syn_str"]
STEPS = 500


def sweep(tasks: list[str], steps: int, processes: int) -> tuple[float, float, float]:
    """Return a sweep's wall time, that from its first start to its last end, and all training."""
    with tempfile.TemporaryDirectory() as folder:
        names = ",".join(tasks)
        command = [sys.executable, str(REPOSITORY / "train.py"), "-m", f"main={names}"]
        command += [f"aux={names}", f"steps_per_task={steps}", f"paths.output_dir={folder}"]
        command += [f"trainer.val_check_interval={steps}", f"hydra.launcher.processes={processes}"]
        command += ["~hydra.callbacks.study"]
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        wall = time.perf_counter() - begin
        records = [
            json.loads(file.read_text("utf-8")) for file in Path(folder).rglob("record.json")
        ]
    times = [record["timings"] for record in records]
    starts, ends = ([datetime.fromisoformat(t[key]) for t in times] for key in ("started", "ended"))
    training = sum(time["train_seconds"] for time in times)
    return wall, (max(ends) - min(starts)).total_seconds(), training


def measure() -> dict[str, float]:
    """Return steps a second of one process and of two, and the costs of a sweep and of a job."""
    sweep(TASKS[:1], 1, 1)  # warm up
    jobs = len(TASKS) * (len(TASKS) + 1) // 2
    steps = STEPS * len(TASKS) ** 2  # a pair trains twice as long as a task alone
    single, short = (sweep(tasks, 1, 1)[0] for tasks in (TASKS[:1], TASKS))
    spans, training = {1: 0.0, 2: 0.0}, {1: 0.0, 2: 0.0}
    for processes in (1, 2, 2, 1):  # a machine that slows down or speeds up does so for both
        _, span, trained = sweep(TASKS, STEPS, processes)
        spans[processes] += span
        training[processes] += trained / processes
    return {
        "seconds a job without its steps": (short - single) / (jobs - 1),
        "seconds a sweep without its jobs": (jobs * single - short) / (jobs - 1),
        "steps a second, 1 process": 2 * steps / spans[1],
        "steps a second, 2 processes": 2 * steps / spans[2],
        "steps a second, 2 processes to 1": spans[1] / spans[2],
        "the same, without what is not training": training[1] / training[2],
    }


def show(found: dict[str, float]) -> None:
    """Print what was measured."""
    print(f"\nSweep: {len(TASKS)} synthetic tasks, alone and in pairs")
    for name, value in found.items():
        print(f"  {name:44s} {value:9.2f}")


def main() -> None:
    """Measure and print."""
    show(measure())


if __name__ == "__main__":
    main()
