"""A study in Weights & Biases: a run with its tables, figures and page, and a view of the runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import wandb

from mtl_bench.analysis.conclusions import main_tasks, sentence
from mtl_bench.analysis.study import Study
from mtl_bench.analysis.study_files import GAINS, SCORES, score_cells
from mtl_bench.errors import UserError


def log_study(
    study: Study,
    report: Path,
    group: str,
    folder: Path,
    project: str,
    entity: str | None,
    online: bool,
) -> None:
    """Log a study as one run.

    Args:
        study: what was found.
        report: folder of its page.
        group: of the sweep's runs.
        folder: where W&B keeps the run until it is sent.
        project: of W&B.
        entity: who owns the project; None for the one that is logged in.
        online: whether to send it now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("WANDB_SILENT", "true")
    run = wandb.init(
        project=project,
        entity=entity,
        name=f"study of {study.evidence.source}",
        group=group,
        job_type="study",
        dir=folder,
        mode="online" if online else "offline",
    )
    features = list(next(iter(study.features.values()), {}))
    tables: dict[str, tuple[Sequence[str], list[list[Any]]]] = {
        "gains": (
            GAINS,
            [
                [getattr(gain, name) for name in GAINS]
                for gain in (*study.evidence.gains, *study.evidence.sets)
            ],
        ),
        "features": (
            ["task", *features],
            [[t, *(of[n] for n in features)] for t, of in study.features.items()],
        ),
        "table 3 and the honest evaluation": (SCORES, [score_cells(s) for s in study.scores]),
        "table 4": (
            ["feature", "role", "coefficient"],
            [[*column, value] for column, value in study.coefficients.items()],
        ),
        "claims": (
            ["claim", "verdict", "found"],
            [[c.claim, c.verdict, c.found] for c in study.claims],
        ),
    }
    run.log(
        {
            f"study/{name}": wandb.Table(list(head), [*rows])
            for name, (head, rows) in tables.items()
            if rows
        }
    )
    images = sorted((report / "figures").glob("*.png"))
    run.log({_place(file): wandb.Image(str(file)) for file in images})
    gains = study.evidence.gains
    run.summary["pairs"] = len(gains)
    run.summary["gains above 0"] = sum(gain.gain > 0 for gain in gains)
    for main in main_tasks(study.evidence):
        run.summary[f"answer {main}"] = sentence(study.evidence, main)
    for number, answer in enumerate(study.answers, start=1):
        run.summary[f"answer {number}"] = f"{answer.question} {answer.answer}"
    page = wandb.Artifact(f"report-{group}".replace("/", "-"), type="report")
    page.add_file(str(report / "index.html"))
    run.log_artifact(page)
    run.finish()


def _place(figure: Path) -> str:
    """Return where a figure stands: curves by main task, the others first."""
    kind, _, task = figure.stem.partition("_")
    return f"curves/{task}" if kind == "curves" else f"study/{kind}"


def workspace(tasks: Sequence[str], group: str, project: str, entity: str) -> Any:
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
    sections = [
        ws.Section(
            name="study",
            is_open=True,
            panels=[MediaBrowser(media_keys=["study/heatmap", "study/comparison"])],
        )
    ]
    for task in tasks:
        f1 = LinePlot(title=f"F1 of {task}", x="Step", y=[f"val/f1/{task}"])
        loss = LinePlot(title=f"training loss of {task}, nats", x="Step", y=[f"train/loss/{task}"])
        sections.append(ws.Section(name=task, panels=[f1, loss]))
    return ws.Workspace(
        entity=entity,
        project=project,
        name=f"mtl_bench: {group}",
        sections=sections,
        runset_settings=ws.RunsetSettings(filters=[expr.Metric("Group") == group]),
    )
