"""Records for tests."""

from mtl_bench.runs.record import Metric, Record, TaskRecord


def task(value=0.5, **fields):
    """Return a tagging task whose final F1 is a value."""
    given = {
        "title": "t",
        "type": "tagging",
        "options": {"outside": "O", "spans": None},
        "fingerprint": "f",
        "statistics": {"size": 3.0},
        "sentences": {"train": 1},
        "metrics": {"f1": Metric("F1"), "accuracy": Metric("accuracy")},
        "final_split": "test",
        "final": {} if value is None else {"loss": 1.0, "f1": value},
    }
    return TaskRecord(**{**given, **fields})


def record(status="finished", steps=1, run_key="key", tasks=None, **fields):
    """Return the record of a run."""
    tasks = {"t": task()} if tasks is None else tasks
    given = {
        "main": next(iter(tasks), "t"),
        "seed": 0,
        "config": {},
        "identity": {},
        "budget": steps / max(1, len(tasks)),
        "versions": {},
        "git_commit": None,
        "threads": 1,
        "host": {},
        "timings": {"wall_seconds": 1.0},
        "inputs": {},
    }
    return Record(
        status=status, tasks=tasks, steps_done=steps, run_key=run_key, **{**given, **fields}
    )
