"""Tasks drawn with given probabilities."""

from __future__ import annotations

from collections.abc import Mapping

from mtl_bench.config.by_task import by_task
from mtl_bench.errors import UserError
from mtl_bench.training.samplers.proportional import Proportional


class Weighted(Proportional):
    """Tasks drawn with given probabilities; those not named share the rest evenly.

    >>> Weighted({"chu": 8936, "pos": 1002, "sem": 15465}, "pos", {"main": 0.8}).probabilities
    {'chu': 0.1, 'pos': 0.8, 'sem': 0.1}
    """

    @staticmethod
    def uses_main(weights: Mapping[str, float]) -> bool:  # type: ignore[override]  # of its options
        """Return whether the probabilities name the main task."""
        return "main" in weights

    def __init__(self, sizes: Mapping[str, int], main: str, weights: Mapping[str, float]) -> None:
        """Take sizes, main task, and probabilities by task; `main` stands for the main task."""
        for task, weight in weights.items():
            if type(weight) not in (int, float) or weight < 0:
                raise UserError(f"sampler.weights.{task} is {weight!r}; it is a probability.")
        probabilities = by_task("sampler.weights", weights, sizes, main)
        rest = 1 - sum(probabilities.values())
        others = sorted(set(sizes) - set(probabilities))
        if sum(weights.values()) > 1 + 1e-9:
            raise UserError(
                f"sampler.weights: {dict(weights)}; allowed is: probabilities that sum to at most "
                "1. Tasks not named share the rest."
            )
        if not others and len(sizes) > 1 and abs(rest) > 1e-9:
            raise UserError(f"sampler.weights: {dict(weights)} sum to {1 - rest:g}, not to 1.")
        if len(sizes) == 1:
            probabilities = dict.fromkeys(sizes, 1.0)
        # Rounded: 1 - 0.8 is 0.19999999999999996, which would show in `probabilities`.
        shares = {
            t: round(probabilities.get(t, rest / max(len(others), 1)), 12) for t in sorted(sizes)
        }
        super().__init__(shares, main, exponent=1.0)
