"""Scores that were computed once are kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import joblib
import numpy
import scipy
import sklearn

from mtl_bench.files import cache_folder

SCORES_VERSION = 4
"""Raised when code changes scores of the same runs and settings; until then they are reused."""

LIMIT = 200_000_000  # bytes; the least recently used scores are deleted beyond it


def _computed(key: str, compute: Callable[[], Any]) -> Any:  # noqa: ARG001 (joblib's key)
    return compute()


class ScoreCache:
    """Computes scores, or reads those that the same inputs gave before.

    The cached function is a fixed stub, because joblib forgets results when the source of the
    cached function changes: `SCORES_VERSION` decides instead.
    """

    def __init__(self, *inputs: Any) -> None:
        """Take all that decides the scores."""
        versions = (numpy.__version__, scipy.__version__, sklearn.__version__)
        self._key = str(joblib.hash((SCORES_VERSION, versions, inputs)))
        self._memory = joblib.Memory(cache_folder() / "scores", verbose=0)
        self._cached = self._memory.cache(_computed, ignore=["compute"])

    def __call__(self, name: str, compute: Callable[[], Any]) -> Any:
        """Return what a named computation gives."""
        try:
            return self._cached(f"{self._key} {name}", compute)
        except OSError:  # a cache that cannot be written costs time only
            return compute()

    def clean(self) -> None:
        """Delete the scores beyond the limit."""
        self._memory.reduce_size(bytes_limit=LIMIT)
