"""`mtl-bench report`: one page that shows a sweep, or the paper's own runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from mtl_bench.commands.gains import add_metric, of_metric
from mtl_bench.commands.shared.definitions import sweep_folder
from mtl_bench.commands.study import Done, study_published, study_sweep
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import RunStatus, read_sweep

if TYPE_CHECKING:
    from mtl_bench.analysis.study import Study
    from mtl_bench.report.page import Origin

HELP = "write a page that shows a sweep: report/index.html"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "sweep", help="name or folder of a sweep, or `published`: the paper's own runs"
    )
    parser.add_argument("overrides", nargs="*", help="of conf/study.yaml, such as study=full")
    add_metric(parser)
    parser.add_argument("--out", type=Path, help="folder to write to (default: the sweep's)")


def run(arguments: argparse.Namespace) -> None:
    """Write study and report; without overrides, those of the study that is there."""
    overrides = [*arguments.overrides, *of_metric(arguments)] or None
    if arguments.sweep == "published":
        if arguments.out is None:
            raise UserError("`mtl-bench report published` needs `--out <folder>` to write to.")
        done = study_published(arguments.out / "study", overrides)
        print(f"written: {_write(done.study, _published_origin(), arguments.out / 'report')}")
        return
    folder = sweep_folder(arguments.sweep)
    out = arguments.out and arguments.out / "study"
    for done in study_sweep(folder, read_sweep(folder), overrides, out):
        print(f"written: {write_page(done)}")


def write_page(done: Done) -> Path:
    """Write the page of a study beside its folder; return the page's file."""
    root = next(place for place in (done.out, *done.out.parents) if place.name == "study")
    folder = root.with_name("report") / done.out.relative_to(root)
    return _write(done.study, _origin(done.runs), folder)


def _write(study: Study, origin: Origin, folder: Path) -> Path:
    from mtl_bench.report.page import write_report  # matplotlib: 1 s

    return write_report(study, origin, folder)


def _published_origin() -> Origin:
    from mtl_bench.report.page import Origin

    return Origin(
        [
            (
                "runs",
                "10 single and 45 pair runs, one seed each, released by Bingel and Søgaard (2017)",
            ),
            ("paper", "https://aclanthology.org/E17-2026/"),
            ("schedule", "50,000 steps single, 100,000 pair; evaluated on the test split"),
        ]
    )


def _origin(stored: Sequence[RunStatus]) -> Origin:
    """Return how the runs of a sweep were made, from their records."""
    from mtl_bench.report.page import Origin

    done = [(r, r.record) for r in stored if r.state == "finished" and r.record]
    records = [record for _, record in done]
    first = records[0]
    seconds = sum(float(record.timings.get("train_seconds") or 0) for record in records)
    steps = sum(record.steps_done for record in records)
    days, rest = divmod(int(seconds), 86_400)
    hours, minutes = divmod(rest // 60, 60)
    facts = [
        ("runs", f"{len(done)} finished, {len(stored) - len(done)} not"),
        ("seeds", ", ".join(str(seed) for seed in sorted({record.seed for record in records}))),
        ("steps", f"{steps:,} in all, {steps / max(seconds, 1e-9):,.0f} a second and process"),
        (
            "training time",
            f"{days} d " * (days > 0) + f"{hours} h {minutes} min, all processes together",
        ),
        (
            "machines",
            ", ".join(sorted({f"{r.host.get('name')} ({r.host.get('machine')})" for r in records})),
        ),
        ("versions", ", ".join(f"{name} {version}" for name, version in first.versions.items())),
        ("commit", ", ".join(sorted({r.git_commit or "not known" for r in records}))),
    ]
    return Origin(facts, OmegaConf.to_yaml(OmegaConf.create(first.config)))
