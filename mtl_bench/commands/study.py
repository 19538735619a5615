"""`mtl-bench study`: the paper's Tables 3 and 4 for a sweep, or for the paper's own runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from mtl_bench.commands.tables import Row, print_table
from mtl_bench.errors import UserError
from mtl_bench.runs.store import read_sweep

HELP = "predict gains from features: the paper's tables, for a sweep or `published`"
TOP = 12  # coefficients shown; all are in coefficients.csv


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("sweep", help="folder of a sweep, or `published`")
    parser.add_argument("--out", type=Path, help="folder to write to (default: <sweep>/study)")


def run(arguments: argparse.Namespace) -> None:
    """Write the study's files and print a summary."""
    from mtl_bench.meta.study import study_published, study_sweep, write  # scikit-learn: 1 s

    if arguments.sweep == "published":
        if arguments.out is None:
            raise UserError("`mtl-bench study published` needs `--out <folder>` to write to.")
        study, out = study_published(), arguments.out
    else:
        folder = Path(arguments.sweep)
        study = study_sweep(folder, read_sweep(folder))
        out = arguments.out or folder / "study"
    write(study, out)
    gained = int(study.table.helps().sum())
    print(f"{study.source}: {len(study.table)} directed pairs, {gained} with a gain above 0\n")
    rows: list[Row] = [
        {
            "": row.name,
            "features": row.features or "",
            "accuracy": f"{row.accuracy:.3f}",
            "F1 (gain)": f"{row.f1:.3f}",
            "paper": " / ".join(f"{value:.3f}" for value in row.paper) if row.paper else "",
        }
        for row in study.rows
    ]
    note = (
        "As the paper evaluated: folds split the pairs, which share their main tasks, and the best "
        "subsets are chosen by the score shown. How much of this is knowing the main task, these "
        "numbers do not tell."
    )
    print_table(rows, "table", [note])
    largest = sorted(study.coefficients.items(), key=lambda item: -abs(item[1]))[:TOP]
    print()
    print_table(
        [{"feature": n, "task": role, "coefficient": f"{c:+.3f}"} for (n, role), c in largest],
        "table",
    )
    print(f"\nwritten: {out}")
