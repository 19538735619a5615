"""`mtl-bench wandb`: a sweep's study as a run of Weights & Biases, and a view of its runs."""

from __future__ import annotations

import argparse

from mtl_bench.commands.report import write_page
from mtl_bench.commands.shared.definitions import sweep_folder
from mtl_bench.commands.study import study_sweep
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import all_tasks, read_sweep

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
    from mtl_bench.report.wandb import log_study, workspace  # wandb: 1 s

    stored = read_sweep(arguments.sweep)
    group = arguments.sweep.resolve().name  # `sweep_name`, which groups the runs
    if arguments.what == "workspace":
        if not arguments.entity:
            raise UserError("A view belongs to someone: add `--entity <your W&B name>`.")
        view = workspace(all_tasks(stored), group, arguments.project, arguments.entity)
        view.save()
        print(f"saved: {view.url}")
        return
    for done in study_sweep(arguments.sweep, stored):
        page = write_page(done)
        log_study(
            *(done.study, page.parent, group, done.out),
            *(arguments.project, arguments.entity, arguments.online),
        )
        place = done.out / "wandb"
        sent = "sent" if arguments.online else f"written: {place}; `wandb sync` sends it"
        print(f"study of {done.study.evidence.source}: {sent}")
