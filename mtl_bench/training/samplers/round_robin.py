"""Tasks in turn."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.random import Generator


class RoundRobin:
    """The tasks in turn, in the order of their names."""

    uses_main = False

    def __init__(self, sizes: Mapping[str, int], main: str) -> None:  # noqa: ARG002 (a sampler's signature)
        """Take the number of training sentences by task, and the main task's name."""
        self.tasks = sorted(sizes)

    def __call__(self, step: int, draw: Generator) -> str:  # noqa: ARG002
        """Return the task of a step."""
        return self.tasks[step % len(self.tasks)]
