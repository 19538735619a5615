"""All benchmarks, printed and kept: `python -m benchmarks [--rounds 15]`, for about an hour.

Ratios within one run compare; times are of the machine and the moment. Nothing else should run.
The result lands in `benchmarks/results/<date>-<machine>.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

import mtl_bench
from benchmarks import (
    encoders,
    evaluation,
    memory,
    optimizer,
    peers,
    recommend,
    roofline,
    step,
    sweep,
    tagging,
)
from benchmarks.timing import Row, show


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    found: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {_processor()}",
        "torch": torch.__version__,
    }
    for task in ("com", "chu", "ccg_redwoods"):
        title, rows = step.measure(task, rounds)
        show(title, rows)
        found[title] = [asdict(row) for row in rows]
    title, rates = roofline.measure("chu", rounds)
    roofline.show(title, rates)
    found[title] = rates
    share = step.lightning_share("chu")
    print(f"\nLightning: {100 * share:.1f} % of a fit")
    found["Lightning, share of a fit of 500 steps"] = share
    for count in optimizer.ROWS:
        title = f"Optimiser: {count:,} vectors"
        rows = optimizer.measure(count)
        show(title, rows)
        found[title] = [asdict(row) for row in rows]
    for task in ("chu", "sem", "ccg_redwoods"):
        title, rows = evaluation.measure(task)
        show(title, rows)
        found[title] = [asdict(row) for row in rows]
    title, rows, tokens = peers.measure("chu")
    peers.show(title, rows, tokens)
    found[title] = [
        asdict(row) | {"tokens a second": 1000 * tokens / row.milliseconds} for row in rows
    ]
    if find_spec("transformers"):
        for title, rows in _pretrained(rounds):
            show(title, rows)
            found[title] = [asdict(row) for row in rows]
    else:
        print("not installed, so left out: transformers")
    pair, peak = memory.measure()
    print(f"\nMemory of {pair}: {peak:.0f} MB")
    found[f"Memory of {pair}, MB"] = peak
    found["Sweep"] = sweep.measure()
    sweep.show(found["Sweep"])
    searches = list(recommend.measure())
    recommend.show_worlds(searches)
    recommend.show_growth()
    found["Recommend"] = [asdict(each) for each in searches]
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    kind = "".join(c if c.isalnum() else "-" for c in _processor().lower())
    file = folder / f"{found['date']}-{kind}.json"
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"\nwritten: {file}")


def _pretrained(rounds: int) -> Iterator[tuple[str, list[Row]]]:
    """Yield what is measured of pretrained encoders; a third of an hour."""
    model = encoders.default_model()
    yield encoders.frozen("chu", model, rounds, 10)
    yield encoders.finetuning("chu", model, min(rounds, 5), 10)
    with tempfile.TemporaryDirectory() as folder:
        run = mtl_bench.train(
            "chu",
            experiment="finetune",
            embeddings__model=model,
            steps_per_task=5,
            paths__output_dir=folder,
        )
        yield tagging.measure(run.folder, count=10_000, rounds=1)


def _processor() -> str:
    """Return the kind of processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")


if __name__ == "__main__":
    main()
