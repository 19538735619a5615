"""`mtl-bench truth`: how much each embedded task can help each, from the language alone."""

from __future__ import annotations

import argparse

from mtl_bench.commands.definitions import corpus_of, definitions
from mtl_bench.tasks.readers.synthetic import truth

HELP = "print who helps whom among the embedded tasks (CSV)"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments: none."""


def run(arguments: argparse.Namespace) -> None:  # noqa: ARG001
    """Print main, aux and help, a line each pair of embedded tasks."""
    embedded = {n: task for n, task in definitions().items() if n.startswith("syn_")}
    print("main,aux,help")
    for main, row in truth({n: corpus_of(n, task) for n, task in embedded.items()}).items():
        for aux, value in row.items():
            print(f"{main},{aux},{value:.6f}")
