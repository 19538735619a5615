"""A study in Weights & Biases: a run with its tables, figures and page, and a view of the runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wandb

from mtl_bench.analysis.conclusions import main_tasks, sentence
from mtl_bench.analysis.data.frame import StudiedMetric
from mtl_bench.analysis.section import Section
from mtl_bench.analysis.study import Study
from mtl_bench.analysis.study_files import features_table, gains_table, scores_table
from mtl_bench.errors import UserError


@dataclass(frozen=True)
class Destination:
    """Where a study is sent.

    Attributes:
        project: of W&B.
        entity: who owns the project; None for the one that is logged in.
        group: of the sweep's runs.
        online: whether to send it now.
    """

    project: str
    entity: str | None
    group: str
    online: bool = False


def log_study(
    study: Study, sections: Sequence[Section], report: Path, folder: Path, destination: Destination
) -> None:
    """Log a study as one run.

    Args:
        study: of a sweep.
        sections: added to it.
        report: folder of its page.
        folder: where W&B keeps the run until it is sent.
        destination: where that is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # W&B prints a banner otherwise; the command says where the run is.
    os.environ.setdefault("WANDB_SILENT", "true")
    run = wandb.init(
        project=destination.project,
        entity=destination.entity,
        name=f"study of {study.measurements.source}",
        group=destination.group,
        job_type="study",
        dir=folder,
        mode="online" if destination.online else "offline",
    )
    tables = {
        "gains": gains_table(study),
        "features": features_table(study),
        "scores": scores_table(study.scores),
    }
    tables |= {table.name: table.frame for section in sections for table in section.tables}
    run.log(
        {
            f"study/{name}": wandb.Table(dataframe=frame)
            for name, frame in tables.items()
            if len(frame)
        }
    )
    images = sorted((report / "figures").glob("*.png"))
    run.log({_place(file): wandb.Image(str(file)) for file in images})
    gains = study.measurements.gains
    run.summary["pairs"] = len(gains)
    run.summary["gains above 0"] = sum(gain.gain_percent > 0 for gain in gains)
    for main in main_tasks(study.measurements):
        run.summary[f"answer {main}"] = sentence(study.measurements, main)
    for number, conclusion in enumerate(study.conclusions, start=1):
        run.summary[f"answer {number}"] = f"{conclusion.question} {conclusion.answer}"
    page = wandb.Artifact(f"report-{destination.group}".replace("/", "-"), type="report")
    page.add_file(str(report / "index.html"))
    run.log_artifact(page)
    run.finish()


def _place(figure: Path) -> str:
    """Return the name of a figure: curves by main task, the others first."""
    kind, _, task = figure.stem.partition("_")
    return f"curves/{task}" if kind == "curves" else f"study/{kind}"


def workspace(metrics: Mapping[str, StudiedMetric], destination: Destination) -> Any:
    """Return a view of a sweep's runs, panels grouped by task; `save()` sends it.

    Raises:
        UserError: wandb-workspaces is not installed.
    """
    try:
        from wandb_workspaces import expr
        from wandb_workspaces import workspaces as ws
        from wandb_workspaces.reports.v2.interface import LinePlot, MediaBrowser
    except ImportError:
        raise UserError("A saved view needs `pip install 'mtl-bench[workspace]'`.") from None
    figures = MediaBrowser(media_keys=["study/heatmap", "study/comparison"])
    sections = [ws.Section(name="study", is_open=True, panels=[figures])]
    for task, metric in sorted(metrics.items()):
        curve = LinePlot(
            title=f"{metric.title} of {task}", x="Step", y=[f"val/{metric.name}/{task}"]
        )
        loss = LinePlot(title=f"training loss of {task}, nats", x="Step", y=[f"train/loss/{task}"])
        sections.append(ws.Section(name=task, panels=[curve, loss]))
    return ws.Workspace(
        entity=destination.entity or "",
        project=destination.project,
        name=f"mtl_bench: {destination.group}",
        sections=sections,
        runset_settings=ws.RunsetSettings(filters=[expr.Metric("Group") == destination.group]),
    )
