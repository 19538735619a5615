"""Folders of finished runs, as training leaves them."""

from itertools import combinations_with_replacement

import numpy as np

from mtl_bench.runs.curve import CurveRow
from mtl_bench.runs.record import Metric, Record, TaskRecord
from mtl_bench.runs.sweep_folder import SweepRun, write_plan

F1 = {"f1": Metric("F1"), "accuracy": Metric("accuracy")}
ERROR = {"error": Metric("mean error", higher_is_better=False, is_share=False)}
STATISTICS = {
    "size": 100.0,
    "labels": 5.0,
    "tokens_per_type": 3.0,
    "oov_percent": 2.0,
    "label_entropy": 1.5,
    "frobenius_norm": 80.0,
    "jsd": None,
}


def write_run(sweep, tasks, final, budget=100, seed=0, variant="", types=None, curve=None):
    """Write a finished run.

    Args:
        sweep: folder.
        tasks: of the run.
        final: primary metric of each task on test.
        budget: steps per task it was trained to.
        seed: of it.
        variant: overrides, as a part of its folder.
        types: metrics of tasks that have others than F1.
        curve: primary metric on dev by budget and task; by default 0.9 of the final one throughout.
    """
    metrics = {task: (types or {}).get(task, F1) for task in tasks}
    primary = {task: next(iter(metrics[task])) for task in tasks}
    run = SweepRun(
        "/".join(filter(None, ("+".join(tasks), variant, f"seed{seed}"))),
        tuple(tasks),
        seed,
        (budget,),
    )
    records = {
        task: TaskRecord(
            title=task,
            type="toy",
            options={},
            fingerprint="0",
            statistics=STATISTICS | {"size": 100.0 + 10 * len(task) + ord(task[-1])},
            sentences={"train": 10},
            metrics=metrics[task],
            final_split="test",
            final={"loss": 1.0, **dict.fromkeys(metrics[task], 0.5), primary[task]: final[task]},
        )
        for task in tasks
    }
    record = Record(
        status="finished",
        main=tasks[0],
        tasks=records,
        seed=seed,
        config={"main": tasks[0]},
        run_key="k",
        identity={},
        budget=budget,
        steps_done=budget * len(tasks),
        versions={},
        git_commit=None,
        threads=1,
        host={},
        timings={"train_seconds": 1.0},
        inputs={},
    )
    grid = range(budget // 20, budget + 1, budget // 20)
    curve = curve or {b: {task: 0.9 * final[task] for task in tasks} for b in grid}
    rows = [
        CurveRow(b * len(tasks), b, task, "train", {"loss": 2.0 / b + ord(task[-1]) / 1e3})
        for b in range(1, budget + 1)
        for task in tasks
    ]
    rows += [
        CurveRow(b * len(tasks), b, task, "dev", {"loss": 1.0, primary[task]: score})
        for b, scores in curve.items()
        for task, score in scores.items()
    ]
    folder = sweep / run.folder
    folder.mkdir(parents=True)
    record.write(folder, sorted(rows, key=lambda row: row.step))
    write_plan(sweep, [run])


def write_sweep(folder, tasks="uvwxyz"):
    """Write the single and pair runs of some tasks; of `v` the error counts, lower is better."""
    random = np.random.default_rng(0)
    for names in map(sorted, map(set, combinations_with_replacement(tasks, 2))):
        final = {task: 0.5 + 0.1 * random.random() for task in names}
        curve = {b: {t: f * b / 100 for t, f in final.items()} for b in range(5, 101, 5)}
        write_run(folder, names, final, curve=curve, types={"v": ERROR})
