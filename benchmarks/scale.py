"""A hundred and a thousand tasks: plans, status, gains, a page; fake records, nothing is trained.

python -m benchmarks.scale [--tasks 1000]

Times are seconds of the processor, which other work on the machine changes little; memory is the
largest resident size.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mtl_bench.runs.curve import CurveRow
from mtl_bench.runs.record import Metric, Record, TaskRecord
from mtl_bench.runs.sweep_folder import SweepRun, write_plan

REPOSITORY = Path(__file__).parents[1]
BUDGET, EVERY = 1000, 100
RANDOM_PAIRS = 10  # for each task, beside those of the first one


def write_tasks(folder: Path, count: int) -> list[str]:
    """Write tasks of twenty sentences each; return their names."""
    draw = random.Random(0)
    names = [f"t{number:04}" for number in range(count)]
    for name in names:
        for split in ("train", "dev", "test"):
            words = [draw.randrange(100) for _ in range(120)]
            lines = [
                f"w{word}\t{'ABCD'[word % 4]}" + "\n" * (not n % 6)
                for n, word in enumerate(words, 1)
            ]
            (folder / f"{name}.{split}.tsv").write_text("\n".join(lines) + "\n")
        (folder / f"{name}.yaml").write_text(
            f"title: fake task {name}\n"
            "reader: {_target_: mtl_bench.tasks.readers.columns.ColumnReader, word: 1, label: 2}\n"
            f"splits: {{train: {{file: {name}.train.tsv}}, dev: {{file: {name}.dev.tsv}}, "
            f"test: {{file: {name}.test.tsv}}}}\n"
        )
    return names


def write_runs(sweep: Path, sets: Sequence[tuple[str, ...]]) -> None:
    """Write a finished run of each set of tasks, with a usual curve."""
    draw = random.Random(1)
    plan = []
    for tasks in sets:
        run = SweepRun(f"{'+'.join(tasks)}/seed0", tasks, 0, (BUDGET,))
        f1 = {task: 0.6 + 0.1 * draw.random() for task in tasks}
        records = {
            task: TaskRecord(
                title=task,
                type="tagging",
                options={},
                fingerprint="",
                statistics={"size": 20.0, "labels": 4.0},
                sentences={"train": 20},
                metrics={"f1": Metric("F1"), "accuracy": Metric("accuracy")},
                final_split="test",
                final={"loss": 1.0, "f1": f1[task], "accuracy": f1[task]},
            )
            for task in tasks
        }
        record = Record(
            "finished", tasks[0], records, 0, {"main": tasks[0]}, "", {}, BUDGET,
            BUDGET * len(tasks), {}, None, 1, {}, {"train_seconds": 10.0}, {},
        )  # fmt: skip
        rows = [
            CurveRow(b * len(tasks), b, task, split, values)
            for b in range(EVERY // 5, BUDGET + 1, EVERY // 5)
            for task in tasks
            for split, values in (
                ("train", {"loss": 2 - b / BUDGET}),
                ("dev", {"loss": 1.0, "f1": f1[task] * (0.5 + b / BUDGET / 2)}),
            )
            if split == "train" or b % EVERY == 0
        ]
        (sweep / run.folder).mkdir(parents=True)
        record.write(sweep / run.folder, rows)
        plan.append(run)
    write_plan(sweep, plan)


def cost(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """Return the seconds of processor and the megabytes that a command takes."""
    environment = {**os.environ, "MTL_BENCH_TASKS": str(folder), "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(arguments)[:200]} ended with {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def measure(count: int) -> dict[str, tuple[float, float]]:
    """Return the costs of commands with so many tasks, by what they do."""
    draw = random.Random(2)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        names = write_tasks(folder, count)
        sets = {(name,) for name in names} | {(names[0], name) for name in names[1:]}
        while len(sets) < 2 * count - 1 + RANDOM_PAIRS * count:
            sets.add(tuple(sorted(draw.sample(names, 2))))
        write_runs(folder / "many", sorted(sets))
        others = ",".join(names[1:])
        train = [str(REPOSITORY / "train.py"), "-m", "experiment=demo", "dry_run=true"]
        search = ["hydra/sweeper=recommend", f"main={names[0]}", f"aux=[{others}]"]
        hundred = ",".join(names[:100])
        tool = ["-m", "mtl_bench"]
        commands = {
            f"plan of a search among {count - 1} candidates": [*train, *search],
            "plan of 100 tasks, all pairs": [*train, f"main={hundred}", f"aux={hundred}"],
            f"status of {len(sets):,} runs": [*tool, "status", "many"],
            f"gains of {len(sets):,} runs, as CSV": [*tool, "gains", "many", "--format", "csv"],
            "gains of one main task": [*tool, "gains", "many", "--main", names[0]],
            "recommendation for it": [*tool, "recommend", "many", "--main", names[0]],
            "page of it": [*tool, "report", "many", "--main", names[0]],
        }
        return {what: cost(arguments, folder) for what, arguments in commands.items()}


def show(costs: dict[str, tuple[float, float]]) -> None:
    """Print what was measured."""
    print(f"\n{'':44s}  seconds      MB")
    for what, (seconds, megabytes) in costs.items():
        print(f"  {what:44s} {seconds:7.1f} {megabytes:7.0f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=1000)
    show(measure(parser.parse_args().tasks))


if __name__ == "__main__":
    main()
