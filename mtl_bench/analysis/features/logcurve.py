"""A logarithmic curve fitted to the training loss: L(i) = a ln(c i + d) + b (Section 4)."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.data.single_runs import SingleRun

FEWEST = 5  # points, for four parameters


def log_curve(i: Floats, a: float, b: float, c: float, d: float) -> Floats:
    """Return a ln(c i + d) + b."""
    # While it searches, the optimiser tries c and d for which there is no logarithm.
    value: Floats = a * np.log(np.maximum(c * i + d, 1e-12)) + b
    return value


class LogCurve:
    """Parameters of the curve, by least squares.

    `c` alone is not identifiable: a ln(c i + d) + b = a ln(i + d/c) + (b + a ln c), so that any c
    fits as well with another d and b. The paper's a and c depend on where its optimiser stopped;
    `identifiable: true` gives a and d/c instead, which the data determine.
    """

    def __init__(self, identifiable: bool = False) -> None:
        """Choose the paper's pair (a, c), or the identifiable one (a, d/c)."""
        self.identifiable = identifiable

    def names(self) -> tuple[str, ...]:
        """Return the names of the features."""
        return ("curve_a", "curve_shift") if self.identifiable else ("curve_a", "curve_c")

    def __call__(self, run: SingleRun) -> dict[str, float]:
        """Return the whole fit; its parameters are nan if it did not converge."""
        nothing = dict.fromkeys((*"abcd", "shift", "rmse"), float("nan"))
        return {f"curve_{name}": value for name, value in (nothing | self.fit(run)).items()}

    def fit(self, run: SingleRun) -> dict[str, float]:
        """Return a, b, c, d, shift (d/c), rmse (nats), and whether it converged (1 or 0)."""
        if len(run.steps) < FEWEST:
            return {"converged": 0.0}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OptimizeWarning)
                (a, b, c, d), _ = curve_fit(log_curve, run.steps, run.losses, maxfev=20_000)
        except (RuntimeError, ValueError):  # no convergence; a loss that is not finite
            return {"converged": 0.0}
        rmse = np.sqrt(np.mean((log_curve(run.steps, a, b, c, d) - run.losses) ** 2))
        result = {"a": a, "b": b, "c": c, "d": d, "shift": d / c, "rmse": rmse, "converged": 1.0}
        return {name: float(value) for name, value in result.items()}
