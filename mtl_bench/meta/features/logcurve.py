"""A logarithmic curve fitted to the training loss: L(i) = a ln(c i + d) + b (Section 4)."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit

from mtl_bench.meta.single import Floats, SingleRun


def log_curve(i: Floats, a: float, b: float, c: float, d: float) -> Floats:
    """Return a ln(c i + d) + b."""
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
        """Return the features; nan if the fit did not converge."""
        fit = self.fit(run)
        if not fit["converged"]:
            return dict.fromkeys(self.names(), float("nan"))
        return {name: float(fit[name]) for name in self.names()}

    def fit(self, run: SingleRun) -> dict[str, float | bool]:
        """Return curve_a, b, c, d, curve_shift (d/c), rmse (nats), and whether it converged."""
        if len(run.steps) < 5:
            return {"converged": False}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OptimizeWarning)
                (a, b, c, d), _ = curve_fit(log_curve, run.steps, run.losses, maxfev=20_000)
        except RuntimeError:  # no convergence
            return {"converged": False}
        rmse = np.sqrt(np.mean((log_curve(run.steps, a, b, c, d) - run.losses) ** 2))
        return {
            **{"curve_a": float(a), "curve_b": float(b), "curve_c": float(c), "curve_d": float(d)},
            **{"curve_shift": float(d / c), "rmse": float(rmse), "converged": True},
        }
