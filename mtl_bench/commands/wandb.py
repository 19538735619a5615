"""`mtl-bench wandb`: a sweep's study as a run of Weights & Biases, and a view of its runs."""

from __future__ import annotations

import argparse

from mtl_bench.commands.shared.study_pipeline import study_sweep
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import read_sweep, sweep_folder

HELP = "send a sweep's study to Weights & Biases, or save a view of its runs there"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("what", choices=("study", "workspace"), help="a run, or a saved view")
    parser.add_argument("sweep", type=sweep_folder, help="name or folder of the sweep")
    parser.add_argument("--project", default="mtl_bench", help="as of `logger=wandb`")
    parser.add_argument("--entity", help="who owns the project")
    parser.add_argument("--online", action="store_true", help="send the run now; else `wandb sync`")


def run(arguments: argparse.Namespace) -> None:
    """Log the study, or save the view."""
    from mtl_bench.analysis.data.frame import studied_metrics
    from mtl_bench.report.wandb import Destination, log_study, workspace  # wandb: 1 s

    statuses = read_sweep(arguments.sweep)
    group = arguments.sweep.resolve().name  # `sweep_name`, which groups the runs
    destination = Destination(arguments.project, arguments.entity, group, arguments.online)
    if arguments.what == "workspace":
        if not arguments.entity:
            raise UserError("A view has an owner: add `--entity <your W&B name>`.")
        view = workspace(studied_metrics(statuses), destination)
        view.save()
        print(f"saved: {view.url}")
        return
    for finished in study_sweep(arguments.sweep, statuses):
        page = finished.write_page()
        log_study(finished.study, finished.sections, page.parent, finished.folder, destination)
        source = finished.study.measurements.source
        place = f"written: {finished.folder / 'wandb'}; `wandb sync` sends it"
        print(f"study of {source}: {'sent' if arguments.online else place}")
