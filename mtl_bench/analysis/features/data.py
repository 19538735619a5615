"""The seven features of a task's data (Table 2 of the paper)."""

from __future__ import annotations

from mtl_bench.analysis.data.single_runs import SingleRun

NAMES = (
    "size",
    "labels",
    "tokens_per_type",
    "oov_percent",
    "label_entropy",
    "frobenius_norm",
    "jsd",
)


class DataFeatures:
    """Reads the statistics that the record of a run holds."""

    def names(self) -> tuple[str, ...]:
        """Return the names of the features."""
        return NAMES

    def __call__(self, run: SingleRun) -> dict[str, float]:
        """Return the features; one that the record lacks is nan."""
        return {name: run.statistics.get(name, float("nan")) for name in NAMES}
