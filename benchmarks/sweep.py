"""A sweep in one process and in two, and what a job costs before it trains.

python -m benchmarks.sweep
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
TASKS = "syn_chu,syn_pos,syn_sem"
STEPS = 400


def seconds(processes: int, steps: int) -> tuple[float, float]:
    """Return the wall time of a sweep of 6 runs, and the seconds that its runs trained."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(REPOSITORY / "train.py"), "-m", f"main={TASKS}"]
        command += [f"aux={TASKS}", f"steps_per_task={steps}", f"paths.output_dir={folder}"]
        command += [f"trainer.val_check_interval={steps}", f"hydra.launcher.processes={processes}"]
        command += ["hydra.callbacks={}"]
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        wall = time.perf_counter() - begin
        records = [
            json.loads(file.read_text("utf-8")) for file in Path(folder).rglob("record.json")
        ]
    return wall, sum(record["timings"]["train_seconds"] for record in records)


def measure() -> dict[str, float]:
    """Return wall seconds, steps per second of both, and seconds before a sweep trains."""
    seconds(1, 1)  # warm up
    total = STEPS * (3 + 2 * 3)  # three single runs, three pairs
    found: dict[str, float] = {}
    for processes in (1, 2):
        short, _ = seconds(processes, 1)
        wall, _ = seconds(processes, STEPS)
        found[f"wall, {processes} process(es)"] = wall
        found[f"start and end, {processes} process(es)"] = short
        found[f"steps a second, {processes} process(es)"] = total / (wall - short)
    one, two = (found[f"steps a second, {n} process(es)"] for n in (1, 2))
    found["steps a second, 2 to 1"] = two / one
    return found


def main() -> None:
    """Measure and print."""
    print("\nSweep: three embedded tasks, six runs")
    for name, value in measure().items():
        print(f"  {name:44s} {value:9.2f}")


if __name__ == "__main__":
    main()
